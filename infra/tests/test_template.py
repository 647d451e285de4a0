"""The template keeps every rule, on AWS and in an emulator. Run: python -m unittest discover -s infra/tests"""

import re
import tempfile
import unittest
from pathlib import Path

import cfnlint.api
import rules
from processed import TEMPLATE, load, process, refused
from test_rules import ALL_ON, JWT


class Rules(unittest.TestCase):
    def check(self, template):
        for rule in rules.ALL:
            with self.subTest(rule=rule.__name__):
                self.assertEqual(rule(template), [])

    def test_as_it_comes(self):
        self.check(process())

    def test_in_an_emulator(self):
        self.check(process(Stage="local", AllowPlainHttp="true", Architecture="x86_64", ParkBaseSeconds="1"))

    def test_with_everything_on(self):
        self.check(process(**ALL_ON))
        self.check(process(**ALL_ON | {"Auth0EventBusName": "", "InventoryStreamArn": ""}))

    def test_with_traces(self):
        self.check(process(**ALL_ON, Tracing="Active"))

    def test_each_form_of_the_ingest_api(self):
        for api in ("none", "iam", "public"):
            for lines in ("{}", ALL_ON["Lines"]):
                for jwt in ({}, JWT):
                    with self.subTest(api=api, lines=lines, jwt=jwt):
                        self.check(process(IngestApi=api, Lines=lines, **jwt))

    def test_with_long_names_settings_and_an_alarm_topic(self):
        template = process(
            AlarmTopicArn="arn:aws:sns:eu-west-1:123456789012:oncall",
            PermissionsBoundaryArn="arn:aws:iam::123456789012:policy/boundary",
            mailchimpSettings='{"a":"' + "x" * 2040 + '"}',
            IngestApi="iam",
            Lines='{"a":"' + "x" * 2992 + '"}',
            **{"AWS::StackName": "s" * 40},
        )
        self.check(template)
        for name, role in template.of("IAM::Role"):
            self.assertIn("boundary", role["PermissionsBoundary"], name)


class Refused(unittest.TestCase):
    """What a deployment with these parameters is told before it begins."""

    def test_parameters_that_do_not_go_together(self):
        lines = {"Lines": ALL_ON["Lines"], "IngestApi": "iam"}
        for parameters in ({}, ALL_ON, ALL_ON | JWT, lines, lines | {"Vendors": "discovery,webhook"}, {"Vendors": "webhook"}):
            self.assertEqual(refused(**parameters), [])
        for parameters in ({name: value} for name, value in JWT.items()):
            [told] = refused(**parameters)
            self.assertRegex(told, "both, or neither")
        for vendors in ("webhook", "webhook,discovery2"):
            [told] = refused(**lines, Vendors=vendors)
            self.assertRegex(told, "Vendors has to name it")


class Partitions(unittest.TestCase):
    def test_every_number_that_a_vendor_may_have(self):
        parameters = load()["Parameters"]
        for vendor in process().vendors:
            for count in parameters[f"{vendor}Partitions"]["AllowedValues"]:
                template = process(**{f"{vendor}Partitions": count})
                self.assertEqual(sum(i.startswith(f"{vendor}FunctionLanes") for i in template.resources), int(count))
                for rule in rules.ALL:
                    with self.subTest(vendor=vendor, count=count, rule=rule.__name__):
                        self.assertEqual(rule(template), [])

    def test_a_number_leaves_the_other_vendors_as_they_were(self):
        one, many = process().resources, process(webhookPartitions="8").resources
        self.assertTrue(all(i.startswith("webhook") for i in changed(one, many)), changed(one, many))
        self.assertNotIn("webhookQueue", changed(one, many))

    def test_the_linter_reads_the_partitions_too(self):
        """As it comes there are none, so it would never see them."""
        text = re.sub(r'(Partitions:\n(?:.*\n){2} +Default: )"1"', r'\1"2"', without("discovery", without("mailchimp", TEMPLATE.read_text())))
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            file.write(text)
            file.flush()
            findings = cfnlint.api.lint_file(Path(file.name))
        self.assertEqual([(f.rule.id, f.message) for f in findings], [])
        self.assertGreater(text.count('Default: "2"'), 1)


class Vendors(unittest.TestCase):
    def test_one_alone_by_parameter(self):
        for vendor in process().vendors:
            template = process(Vendors=vendor)
            for rule in rules.ALL:
                with self.subTest(vendor=vendor, rule=rule.__name__):
                    self.assertEqual(rule(template), [])

    def test_one_cut_out_leaves_the_others_as_they_were(self):
        whole = process()
        for vendor in whole.vendors:
            with self.subTest(vendor=vendor):
                rest = process(load(without(vendor, TEMPLATE.read_text())))
                self.assertFalse(vendor in str(rest.raw), "a trace of it is left")
                for template in (rest, process(rest.raw, IngestApi="public")):
                    self.assertEqual([f for rule in rules.ALL for f in rule(template)], [])
                kept = {i: r for i, r in whole.resources.items() if not re.match(rf"{vendor}[A-Z]", i)}
                self.assertEqual(sorted(changed(rest.resources, kept)), ["Dashboard", "LookPolicy", "OperatePolicy"])  # which name all vendors


def changed(these, those):
    return [i for i in these.keys() | those.keys() if these.get(i) != those.get(i)]


def without(vendor, text):
    """What a person does to remove a vendor: its marked blocks, and its name in the list."""
    text = re.sub(rf"(?ms)^ *# vendor: {vendor}\n.*?^ *# end vendor: {vendor}\n", "", text)
    line = re.search(r"(?m)^    Default: (\S*,\S*)$", text)
    left = ",".join(name for name in line[1].split(",") if name != vendor)
    return text[: line.start(1)] + left + text[line.end(1) :]


if __name__ == "__main__":
    unittest.main()
