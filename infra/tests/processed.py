"""`template.yaml` as CloudFormation would see it after its transforms: loops expanded, SAM resources translated,
intrinsic functions resolved. No network, no emulator.

What only a deployment knows stays symbolic: `Ref` of a resource becomes `ref:<logical id>`, `Fn::GetAtt` becomes
`att:<logical id>.<attribute>`, also inside `Fn::Sub`.
"""

import copy
import json
import logging
import os
import re
from dataclasses import dataclass, field
from pathlib import Path

os.environ.setdefault("AWS_DEFAULT_REGION", "eu-west-1")  # the translator asks for the partition
os.environ.setdefault("SAM_CLI_TELEMETRY", "0")
logging.disable(logging.WARNING)

from samcli.yamlhelper import yaml_parse
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

TEMPLATE = Path(__file__).resolve().parents[2] / "template.yaml"
PSEUDO = {
    "AWS::AccountId": "123456789012",
    "AWS::Partition": "aws",
    "AWS::Region": "eu-west-1",
    "AWS::StackId": "arn:aws:cloudformation:eu-west-1:123456789012:stack/vendorbridge/0f1e2d3c",
    "AWS::StackName": "vendorbridge",
    "AWS::URLSuffix": "amazonaws.com",
}
NO_VALUE = object()
ALWAYS = {"Fn::Equals": ["", ""]}


@dataclass
class Processed:
    """The processed template, and what a rule needs of the unprocessed one."""

    raw: dict
    parameters: dict
    resources: dict
    outputs: dict
    code: dict = field(default_factory=dict)  # logical id of a function -> its CodeUri as expanded

    @property
    def vendors(self):
        return self.parameters["Vendors"].split(",")

    @property
    def is_live(self):
        return self.parameters["Stage"] == "live"

    def of(self, kind):
        """(logical id, properties) of every resource of a type, for example `SQS::Queue`."""
        return [(i, r["Properties"]) for i, r in self.resources.items() if r["Type"] == f"AWS::{kind}"]

    def properties(self, logical_id):
        return self.resources.get(logical_id, {}).get("Properties", {})

    def copy(self):
        return copy.deepcopy(self)


def load(text=None):
    return plain(yaml_parse(text if text is not None else TEMPLATE.read_text()))


def plain(node):
    """Ordinary dicts and lists: the loaders of the tools return types of their own."""
    return json.loads(json.dumps(node))


def process(raw=None, **parameters):
    """`raw` is a loaded template; parameters override its defaults, `AWS::StackName` its name."""
    raw = copy.deepcopy(raw) if raw is not None else load()
    values = {name: str(p.get("Default", "")) for name, p in raw["Parameters"].items()} | PSEUDO | parameters
    expanded = expand(raw, values)

    code = {}
    for logical_id, resource in expanded["Resources"].items():
        if resource["Type"] == "AWS::Serverless::Function":
            code[logical_id] = resource["Properties"].get("CodeUri")
            resource["Properties"]["CodeUri"] = "s3://bucket/key"  # as packaging would leave it

    translator = Translator({}, Parser())
    translated = plain(translator.translate(expanded, {n: values[n] for n in raw["Parameters"]}))
    resolve = Resolver(translated, values)
    return Processed(
        raw=raw,
        parameters={n: values[n] for n in raw["Parameters"]},
        resources=by_name(resolve.section(translated["Resources"])),
        outputs=resolve.section(translated.get("Outputs", {})),
        code=code,
    )


def refused(**parameters):
    """What the template's `Rules` say against these parameters, before anything is deployed."""
    raw = load()
    values = {name: str(p.get("Default", "")) for name, p in raw["Parameters"].items()} | PSEUDO | parameters
    rules = Resolver(raw, values)
    asserted = [a for rule in raw["Rules"].values() if rules.condition(rule.get("RuleCondition", ALWAYS)) for a in rule["Assertions"]]
    return [a["AssertDescription"] for a in asserted if not rules.condition(a["Assert"])]


def by_name(resources):
    """Rules outside the loop name a queue of the loop by its ARN: here, too, they refer to it."""
    prefix = f"arn:aws:sqs:{PSEUDO['AWS::Region']}:{PSEUDO['AWS::AccountId']}:"
    queues = {i: r for i, r in resources.items() if r["Type"] == "AWS::SQS::Queue"}
    arns = {prefix + r["Properties"]["QueueName"]: f"att:{i}.Arn" for i, r in queues.items()}
    for rule in (r["Properties"] for r in resources.values() if r["Type"] == "AWS::Events::Rule"):
        for to in rule.get("Targets", []):
            for named in (to, to.get("DeadLetterConfig", {})):
                if "Arn" in named:
                    named["Arn"] = arns.get(named["Arn"], named["Arn"])
    return resources


def expand(template, values):
    """What AWS::LanguageExtensions does with `Fn::ForEach`. As measured on AWS, a loop's variable is filled into the keys
    of the fragment, the text of Fn::Sub and Ref, not into plain text and nested keys. CodeUri is the exception: packaging
    reads it before and leaves an address for each value."""
    expanded = dict(template)
    for section in ("Resources", "Outputs"):
        expanded[section] = unroll(template.get(section, {}), {}, template, values)
    return plain(expanded)


def unroll(fragment, bound, template, values):
    entries = {}
    for key, entry in fragment.items():
        if key.startswith("Fn::ForEach::"):
            variable, collection, body = entry
            for item in items(fill(collection, bound), template, values):
                entries |= unroll(body, bound | {variable: item}, template, values)
        else:
            entries[filled_in(key, bound)] = fill(entry, bound)
    return entries


def items(collection, template, values):
    """What a loop runs over: a list, a parameter's, or a mapping's."""
    found = Resolver(template | {"Resources": {}}, values).value(collection)
    return found if isinstance(found, list) else [found]


def fill(node, bound):
    if isinstance(node, list):
        return [fill(n, bound) for n in node]
    if not isinstance(node, dict):
        return node
    if set(node) == {"Ref"} and isinstance(node["Ref"], str):
        return bound.get(node["Ref"], node)
    if set(node) == {"Fn::Sub"} and isinstance(node["Fn::Sub"], str):
        text = filled_in(node["Fn::Sub"], bound)
        return {"Fn::Sub": text} if "${" in text else text
    filled = {k: fill(v, bound) for k, v in node.items()}
    if isinstance(filled.get("CodeUri"), str):
        filled["CodeUri"] = filled_in(filled["CodeUri"], bound)
    return filled


def filled_in(text, bound):
    for variable, item in bound.items():
        text = text.replace("${%s}" % variable, item)
    return text


class Resolver:
    """Just the intrinsic functions that the template uses."""

    def __init__(self, template, values):
        self.template = template
        self.values = values

    def section(self, entries):
        kept = {i: e for i, e in entries.items() if "Condition" not in e or self.condition(e["Condition"])}
        return {i: self.value({k: v for k, v in e.items() if k != "Condition"}) for i, e in kept.items()}

    def value(self, node):
        if isinstance(node, list):
            return [v for v in map(self.value, node) if v is not NO_VALUE]
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            (name, argument), = node.items()
            if name == "Ref":
                return self.ref(self.value(argument))
            if name.startswith("Fn::"):
                return getattr(self, "fn_" + name[4:].lower())(argument)
        resolved = {k: self.value(v) for k, v in node.items()}
        return {k: v for k, v in resolved.items() if v is not NO_VALUE}

    def ref(self, name):
        if name == "AWS::NoValue":
            return NO_VALUE
        if name in self.values:
            is_list = self.template["Parameters"].get(name, {}).get("Type") == "CommaDelimitedList"
            return self.values[name].split(",") if is_list else self.values[name]
        if name not in self.template["Resources"]:
            raise KeyError(f"Ref of unknown {name}")
        return f"ref:{name}"

    def fn_getatt(self, argument):
        logical_id, attribute = argument.split(".", 1) if isinstance(argument, str) else map(self.value, argument)
        if logical_id not in self.template["Resources"]:
            raise KeyError(f"Fn::GetAtt of unknown {logical_id}")
        return f"att:{logical_id}.{attribute}"

    def fn_sub(self, argument):
        text, given = (argument, {}) if isinstance(argument, str) else (argument[0], self.value(argument[1]))

        def fill(match):
            name = match.group(1)
            if name in given:
                return given[name]
            return str(self.ref(name) if name in self.values or "." not in name else self.fn_getatt(name))

        return re.sub(r"\$\{([^!}][^}]*)\}", fill, text)

    def fn_join(self, argument):
        return argument[0].join(map(str, self.value(argument[1])))

    def fn_findinmap(self, argument):
        first, second, third = map(self.value, argument[:3])
        row = self.template["Mappings"][first].get(second, {})
        if third not in row and len(argument) > 3:
            return self.value(argument[3]["DefaultValue"])
        return row[third]

    def fn_split(self, argument):
        return self.value(argument[1]).split(argument[0])

    def fn_if(self, argument):
        return self.value(argument[1] if self.condition(argument[0]) else argument[2])

    def condition(self, node):
        if isinstance(node, str):
            return self.condition(self.template["Conditions"][node])
        (name, argument), = node.items()
        if name == "Condition":
            return self.condition(argument)
        if name == "Fn::Equals":
            return self.value(argument[0]) == self.value(argument[1])
        if name == "Fn::Not":
            return not self.condition(argument[0])
        if name == "Fn::And":
            return all(map(self.condition, argument))
        if name == "Fn::Or":
            return any(map(self.condition, argument))
        if name == "Fn::Contains":
            return self.value(argument[1]) in self.value(argument[0])
        raise KeyError(f"condition {name}")
