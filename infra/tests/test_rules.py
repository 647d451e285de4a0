"""Every rule can fail: each change here breaks the template in one way, and just the rule named must say so."""

import unittest

import rules
from processed import load, process


def ledger_statement(t):
    [policy] = t.properties("mailchimpRole")["Policies"]
    return next(s for s in policy["PolicyDocument"]["Statement"] if s["Resource"] == "att:Ledger.Arn")


def statement(t, policy, n=0):
    return t.properties(policy)["PolicyDocument"]["Statement"][n]


def grant(t, role, n):
    return t.properties(role)["Policies"][0]["PolicyDocument"]["Statement"][n]


def leading_keys(statement, operator, keys):
    statement["Condition"] = {f"ForAllValues:{operator}": {"dynamodb:LeadingKeys": keys}}


def pattern(t, part=0):
    return t.properties("mailchimpRule")["EventPattern"]["$or"][part]


def rule_target(t):
    return t.properties("mailchimpRule")["Targets"][0]


def variables(t, vendor="mailchimp"):
    return t.properties(f"{vendor}Function")["Environment"]["Variables"]


def of_ingest(t):
    return t.properties("Ingest")["Environment"]["Variables"]


def put(properties, **values):
    properties.update(values)


# rule(s) that must find it: what is changed in the processed template
CHANGES = [
    ("visibility_outlasts_the_function", lambda t: put(t.properties("mailchimpQueue"), VisibilityTimeout=179)),
    ("visibility_outlasts_the_function", lambda t: put(t.properties("webhookFunction"), Timeout=31)),
    ("visibility_outlasts_the_function", lambda t: t.properties("algoliaQueue").pop("VisibilityTimeout")),
    ("fifo_batches", lambda t: put(t.properties("mailchimpFunctionLanes"), BatchSize=11)),
    ("fifo_batches", lambda t: put(t.properties("mailchimpFunctionLanes"), MaximumBatchingWindowInSeconds=1)),
    ("partial_batches", lambda t: t.properties("mailchimpFunctionLanes").pop("FunctionResponseTypes")),
    ("concurrency_range", lambda t: put(t.properties("algoliaFunctionLanes"), ScalingConfig={"MaximumConcurrency": 1})),
    ("concurrency_range", lambda t: put(t.properties("algoliaFunctionLanes"), ScalingConfig={"MaximumConcurrency": 1001})),
    ("stream_mappings", lambda t: t.properties("ChangesOfLedger").pop("BisectBatchOnFunctionError")),
    ("stream_mappings", lambda t: t.properties("ChangesOfInventory").pop("MaximumRetryAttempts")),
    ("stream_mappings", lambda t: put(t.properties("ChangesOfLedger"), MaximumRetryAttempts=1)),
    ("stream_mappings", lambda t: put(t.properties("ChangesOfLedger"), MaximumRecordAgeInSeconds=-1)),
    ("stream_mappings", lambda t: t.properties("ChangesOfInventory").pop("DestinationConfig")),
    ("stream_mappings", lambda t: put(t.properties("ChangesOfInventory"), StartingPosition="LATEST")),
    ("stream_mappings", lambda t: put(t.properties("ChangesOfInventory"), ParallelizationFactor=2)),
    ("stream_mappings", lambda t: put(t.properties("Changes"), Timeout=30)),
    ("partial_batches", lambda t: t.properties("ChangesOfLedger").pop("FunctionResponseTypes")),
    ("streams", lambda t: t.properties("ChangesOfLedger").pop("FilterCriteria")),
    ("streams", lambda t: put(t.properties("ChangesOfInventory"), FilterCriteria={"Filters": []})),
    ("streams", lambda t: put(t.properties("Changes")["Environment"]["Variables"], STREAMS="[]")),
    ("streams", lambda t: put(t.properties("ChangesOfInventory"), FunctionName="ref:Waker")),
    ("streams role_grants", lambda t: t.resources.pop("ChangesOfInventory")),
    ("vendor_connections", lambda t: put(t.properties("mailchimpFunctionLanes"), ScalingConfig={"MaximumConcurrency": 3})),
    ("vendor_connections", lambda t: put(variables(t), MAX_IN_FLIGHT="6")),
    ("vendor_calls", lambda t: put(variables(t, "discovery"), VENDOR_CALLS_PER_SECOND="6")),
    ("vendor_calls", lambda t: put(variables(t, "discovery"), VENDOR_CALLS_PER_SECOND="0")),
    ("vendor_calls", lambda t: put(variables(t), VENDOR_CALLS_PER_SECOND="1")),
    ("vendor_calls", lambda t: put(t.properties("discoveryFunctionLanes"), ScalingConfig={"MaximumConcurrency": 3})),
    ("partitions", lambda t: put(t.properties("webhookFunctionLanes3"), ScalingConfig={"MaximumConcurrency": 3})),
    ("partitions dead_letters_of_the_same_kind", lambda t: put(t.properties("webhookQueue2"), QueueName="vendorbridge-webhook_9.fifo")),
    ("partitions lanes_run_side_by_side", lambda t: t.properties("webhookQueue").pop("FifoThroughputLimit")),
    ("partitions", lambda t: t.properties("webhookQueue1").pop("RedrivePolicy")),
    ("partitions", lambda t: put(t.properties("webhookQueue1"), DelaySeconds=5)),
    ("partitions", lambda t: t.resources.pop("webhookFunctionLanes1")),
    ("partitions queue_policies", lambda t: t.resources.pop("webhookQueuePolicy1")),
    ("partitions alarms", lambda t: t.resources.pop("webhookOldestMessageAlarm1")),
    ("partitions names queue_policies", lambda t: t.resources.update(webhookQueue4=t.resources["webhookQueue3"])),
    ("partitions", lambda t: put(t.properties("webhookFunction")["Environment"]["Variables"], PARTITIONS="2")),
    ("partitions", lambda t: t.outputs["Partitionswebhook"].update(Value="1")),
    ("partitions", lambda t: t.raw["Parameters"]["mailchimpPartitions"].update(AllowedValues=["1", "2"])),
    ("partitions", lambda t: t.raw["Mappings"]["Profile"]["webhook"].update(Partitions="algoliaPartitions")),
    ("partitions", lambda t: t.raw["Mappings"]["Profile"]["webhook"].update(MaximumConcurrency3=2)),
    (
        "partitions",
        lambda t: (
            t.raw["Mappings"]["Profile"]["mailchimp"].update(MaximumConcurrency2=2),
            t.raw["Parameters"]["mailchimpPartitions"].update(AllowedValues=["1", "2"]),
        ),
    ),
    ("waker_schedules", lambda t: unpartitioned(t.properties("webhookWakerSchedule")["Targets"][0])),
    ("fifo_queues", lambda t: t.properties("mailchimpDeadLetterQueue").pop("SqsManagedSseEnabled")),
    ("fifo_queues", lambda t: t.properties("mailchimpQueue").pop("DeduplicationScope")),
    ("fifo_queues", lambda t: put(t.properties("mailchimpUndeliveredQueue"), QueueName="vendorbridge-x.fifo")),
    ("lanes_run_side_by_side", lambda t: t.properties("mailchimpQueue").pop("FifoThroughputLimit")),
    (
        "dead_letters_of_the_same_kind",
        lambda t: (
            t.properties("mailchimpDeadLetterQueue").pop("FifoQueue"),
            put(t.properties("mailchimpDeadLetterQueue"), QueueName="vendorbridge-mailchimp-dead"),
        ),
    ),
    ("dead_letters_of_the_same_kind", lambda t: t.properties("mailchimpDeadLetterQueue").pop("RedriveAllowPolicy")),
    ("dead_letters_of_the_same_kind", lambda t: dead_letter_sources(t, "webhook").pop()),
    ("dead_letters_of_the_same_kind", lambda t: dead_letter_sources(t, "webhook").append("arn:aws:sqs:eu-west-1:123456789012:other.fifo")),
    ("redrive_limits", lambda t: t.properties("mailchimpQueue").pop("RedrivePolicy")),
    ("redrive_limits", lambda t: put(t.properties("mailchimpQueue")["RedrivePolicy"], maxReceiveCount=1)),
    ("redrive_limits", lambda t: t.properties("mailchimpDeadLetterQueue").pop("MessageRetentionPeriod")),
    ("content_based_deduplication", lambda t: t.properties("mailchimpQueue").pop("ContentBasedDeduplication")),
    ("target_message_group", lambda t: rule_target(t).pop("SqsParameters")),
    ("target_message_group", lambda t: put(rule_target(t), SqsParameters={"MessageGroupId": "x" * 101})),
    ("target_message_group", lambda t: put(rule_target(t), SqsParameters={"MessageGroupId": "$.detail.customerId"})),
    ("undelivered_events_are_kept", lambda t: rule_target(t).pop("RetryPolicy")),
    ("undelivered_events_are_kept queue_policies", lambda t: rule_target(t).pop("DeadLetterConfig")),
    (
        "undelivered_events_are_kept fifo_queues",
        lambda t: put(t.properties("mailchimpUndeliveredQueue"), FifoQueue=True),
    ),
    ("rule_pattern", lambda t: put(pattern(t), source=["x" * 40] * 50)),
    ("rule_pattern", lambda t: pattern(t).pop("detail-type")),
    ("rule_pattern", lambda t: pattern(t).pop("source")),
    ("rule_pattern", lambda t: put(t.properties("Auth0Rule"), EventBusName="ref:Bus")),
    ("on_demand", lambda t: t.properties("mailchimpRule")["EventPattern"]["$or"].pop()),
    ("on_demand vendors_stand_alone", lambda t: put(pattern(t, 1)["detail"], vendor=["webhook", {"exists": False}])),
    ("no_loops", lambda t: put(pattern(t), source=["vendorbridge"], **{"detail-type": ["SyncRejected"]})),
    ("no_loops rule_pattern", lambda t: (put(pattern(t), **{"detail-type": ["SyncSucceeded"]}), pattern(t).pop("source"))),
    ("no_loops on_demand rule_pattern", lambda t: put(pattern(t, 1), **{"detail-type": ["SyncDead", "SyncRequested"]})),
    ("rules_of_auth0", lambda t: put(t.properties("Auth0LogRule")["EventPattern"]["detail"]["data"], type=["ss", "fs"])),
    ("rules_of_auth0", lambda t: t.resources.pop("Auth0Rule")),
    ("rules_of_auth0", lambda t: put(t.properties("Auth0Rule"), Name="vendorbridge-auth0")),
    ("rules_of_auth0 vendors_stand_alone", lambda t: put(t.properties("Auth0Rule")["Targets"][0], Arn="att:webhookQueue.Arn")),
    ("undelivered_events_are_kept rules_of_auth0", lambda t: t.properties("Auth0Rule")["Targets"][0].pop("DeadLetterConfig")),
    ("target_message_group", lambda t: t.properties("Auth0LogRule")["Targets"][0].pop("SqsParameters")),
    ("rule_pattern", lambda t: t.properties("mailchimpRule").pop("EventBusName")),
    ("queue_policies every_vendor_has_its_parts", lambda t: t.resources.pop("mailchimpQueuePolicy")),
    ("queue_policies", lambda t: statement(t, "mailchimpQueuePolicy").pop("Condition")),
    ("queue_policies", lambda t: put(statement(t, "mailchimpQueuePolicy"), Principal="*")),
    ("queue_policies", lambda t: statement(t, "mailchimpQueuePolicy")["Condition"]["ArnLike"]["aws:SourceArn"].append("*")),
    ("queue_policies", lambda t: t.resources.pop("ChangesFailureQueuePolicy")),
    ("own_records", lambda t: ledger_statement(t).pop("Condition")),
    ("own_records", lambda t: put(ledger_statement(t)["Condition"]["ForAllValues:StringLike"], **{"dynamodb:LeadingKeys": ["*"]})),
    ("own_records", lambda t: leading_keys(grant(t, "mailchimpRole", 2), "StringLike", ["mailchimp#*"])),
    ("own_records", lambda t: leading_keys(grant(t, "mailchimpRole", 3), "StringLike", ["mailchimp", "mailchimp#*"])),
    ("own_records", lambda t: leading_keys(grant(t, "mailchimpRole", 4), "StringEquals", ["mailchimp#*"])),
    ("own_records", lambda t: statement(t, "mailchimpWakerPolicy", 1).pop("Condition")),
    ("own_records", lambda t: leading_keys(statement(t, "mailchimpWakerPolicy", 1), "StringEquals", ["*"])),
    ("queue_policies", lambda t: put(statement(t, "mailchimpUndeliveredQueuePolicy"), Action="sqs:*")),
    ("queue_policies", lambda t: t.properties("mailchimpQueuePolicy")["PolicyDocument"]["Statement"].pop()),
    ("waker_schedules", lambda t: t.properties("mailchimpWakerPermission").pop("SourceArn")),
    ("waker_schedules", lambda t: put(t.properties("mailchimpWakerSchedule")["Targets"][0], Input='{"vendor":"mailchimp"}')),
    ("waker_schedules", lambda t: put(t.properties("mailchimpWakerSchedule")["Targets"][0], Input='{"vendor":')),
    ("waker_schedules", lambda t: put(t.properties("Waker"), Timeout=60)),
    ("nothing_is_public_unless_asked ingest_lines ingest_records role_grants", lambda t: t.parameters.update(IngestApi="none")),
    ("nothing_is_public_unless_asked", lambda t: t.raw["Parameters"]["IngestApi"].update(Default="public")),
    ("nothing_is_public_unless_asked", lambda t: t.outputs.pop("IngestSecretArn")),
    (
        "nothing_is_public_unless_asked vendors_stand_alone",
        lambda t: t.resources.update(Url={"Type": "AWS::Lambda::Url", "Properties": {"AuthType": "NONE"}}),
    ),
    ("nothing_is_public_unless_asked", lambda t: t.parameters.update(IngestApi="iam")),
    ("nothing_is_public_unless_asked ingest_routes", lambda t: t.resources.pop("IngestPermissionOutcome")),
    ("ingest_callers ingest_routes", lambda t: put(t.properties("IngestSapb1Route"), RouteKey="ANY /{proxy+}")),
    ("ingest_callers", lambda t: put(t.properties("IngestRouteEvents"), AuthorizationType="NONE")),
    ("ingest_callers", lambda t: t.properties("IngestRouteOpenApi").pop("AuthorizationType")),
    ("ingest_callers vendors_stand_alone ingest_routes", lambda t: t.resources.update(Another=another_route(t))),
    ("ingest_callers", lambda t: put(t.properties("IngestRouteSchema"), AuthorizerId="ref:IngestAuthorizer")),
    ("ingest_routes", lambda t: put(t.properties("IngestPermissionEvents"), SourceArn=t.properties("IngestPermissionEvents")["SourceArn"] + "*")),
    ("ingest_routes", lambda t: put(t.properties("IngestPermissionEvents"), Principal="*")),
    ("ingest_lines", lambda t: put(of_ingest(t), DISCOVERY_QUEUE_URL="https://sqs.eu-west-1.amazonaws.com/123456789012/vendorbridge-webhook.fifo")),
    ("ingest_lines", lambda t: put(of_ingest(t), LINES="{}")),
    ("ingest_lines", lambda t: put(of_ingest(t), INGEST_CALLS_PER_10_SECONDS="0")),
    ("ingest_lines environment", lambda t: of_ingest(t).pop("DISCOVERY_PARTITIONS")),
    ("ingest_lines ingest_records role_grants nothing_is_public_unless_asked", lambda t: t.parameters.update(Lines="{}")),
    ("ingest_records", lambda t: leading_keys(statement(t, "IngestLinesPolicy", 0), "StringLike", ["*"])),
    ("ingest_records", lambda t: grant(t, "IngestRole", 3).pop("Condition")),
    ("ingest_records", lambda t: leading_keys(statement(t, "IngestLinesPolicy", 1), "StringLike", ["webhook#*"])),
    ("ingest_records", lambda t: statement(t, "IngestLinesPolicy", 1).pop("Condition")),
    ("ingest_records role_grants", lambda t: statement(t, "IngestLinesPolicy", 0)["Action"].append("dynamodb:DeleteItem")),
    ("role_grants", lambda t: statement(t, "IngestLinesPolicy", 2)["Resource"].pop()),
    ("role_grants no_wildcards", lambda t: put(statement(t, "IngestLinesPolicy", 2), Resource="*")),
    ("own_records role_grants", lambda t: grant(t, "discoveryRole", 7).update(Effect="Deny")),
    ("own_records role_grants", lambda t: grant(t, "webhookRole", 7).update(Effect="Allow")),
    ("own_records", lambda t: leading_keys(grant(t, "discoveryRole", 7), "StringLike", ["line#*", "ingest#*"])),
    ("ingest_routes", lambda t: put(t.properties("IngestSapb1Route"), Target="integrations/ref:Other")),
    ("ingest_routes", lambda t: put(t.properties("IngestPermission"), SourceArn="arn:aws:execute-api:eu-west-1:123456789012:*")),
    ("ingest_routes", lambda t: t.properties("IngestStage").pop("DefaultRouteSettings")),
    ("ingest_routes", lambda t: t.properties("IngestStage").pop("AccessLogSettings")),
    ("ingest_routes", lambda t: put(t.properties("IngestStage")["AccessLogSettings"], Format='{"status":"","request_id":"","q":"$context.path"}')),
    ("ingest_routes", lambda t: put(t.properties("IngestHttpApi"), CorsConfiguration={"AllowOrigins": ["*"]})),
    ("ingest_routes", lambda t: put(t.properties("IngestIntegration"), PayloadFormatVersion="1.0")),
    ("ingest_routes", lambda t: put(t.properties("Ingest"), Timeout=30)),
    ("ingest_routes", lambda t: t.properties("IngestAccessLogs").pop("RetentionInDays")),
    ("ingest_puts_its_own_events", lambda t: grant(t, "IngestRole", 1).pop("Condition")),
    ("role_grants", lambda t: grant(t, "IngestRole", 2).update(Action="secretsmanager:PutSecretValue")),
    ("environment", lambda t: t.properties("Ingest")["Environment"]["Variables"].pop("SAPB1_COMPANIES")),
    ("code", lambda t: t.code.update(Ingest="target/lambda/changes/")),
    ("alarms nothing_is_public_unless_asked", lambda t: t.resources.pop("IngestFailuresAlarm")),
    ("functions", lambda t: put(t.properties("mailchimpFunction"), Architectures=["x86_64"])),
    ("functions", lambda t: put(t.properties("mailchimpFunction"), Runtime="provided.al2")),
    ("functions", lambda t: t.raw["Parameters"]["Architecture"].update(Default="x86_64")),
    ("code", lambda t: t.code.update(mailchimpFunction="target/lambda/")),
    ("code", lambda t: t.code.update(webhookFunction="target/lambda/mailchimp/")),
    ("code", lambda t: t.resources["mailchimpFunction"].pop("Metadata")),
    ("environment", lambda t: variables(t).pop("PARK_BASE_SECONDS")),
    ("environment", lambda t: put(variables(t), MAX_IN_FLIGHT=5)),
    ("environment settings_reach_the_function", lambda t: put(variables(t), VENDOR_SETTINGS="x" * 4000)),
    ("settings_reach_the_function", lambda t: put(variables(t), VENDOR_SETTINGS='{"other":1}')),
    ("role_grants own_records no_wildcards", lambda t: put(grant(t, "mailchimpRole", 2), Action="dynamodb:*")),
    ("role_grants no_wildcards", lambda t: put(grant(t, "mailchimpRole", 1), Resource="*")),
    ("role_grants", lambda t: grant(t, "webhookRole", 1)["Resource"].pop()),
    ("role_grants no_wildcards", lambda t: wider(grant(t, "webhookRole", 1)["Resource"])),
    ("role_grants", lambda t: statement(t, "webhookWakerPolicy")["Resource"].pop()),
    ("role_grants no_wildcards", lambda t: grant(t, "WakerRole", 0).pop("Resource")),
    ("role_grants own_records", lambda t: grant(t, "mailchimpRole", 3)["Action"].append("dynamodb:DeleteItem")),
    ("role_grants", lambda t: grant(t, "mailchimpRole", 1)["Action"].remove("sqs:SendMessage")),
    ("role_grants networks", lambda t: put(t.properties("mailchimpRole"), ManagedPolicyArns=["arn:aws:iam::aws:policy/PowerUserAccess"])),
    ("role_grants", lambda t: grant(t, "ChangesRole", 1)["Action"].append("dynamodb:Scan")),
    ("role_grants no_wildcards", lambda t: put(grant(t, "ChangesRole", 3), Resource="*")),
    ("role_grants", lambda t: grant(t, "algoliaRole", 8).update(Effect="Deny")),
    ("role_grants", lambda t: grant(t, "mailchimpRole", 6).update(Effect="Allow")),
    ("networks", lambda t: put(t.properties("mailchimpRole"), ManagedPolicyArns=[rules.INTERFACES])),
    ("networks", lambda t: t.properties("webhookRole").pop("ManagedPolicyArns")),
    ("networks", lambda t: t.properties("webhookFunction").pop("VpcConfig")),
    ("networks", lambda t: put(variables(t), EGRESS_PROXY="http://proxy")),
    ("networks", lambda t: (t.parameters.update(webhookSecurityGroupIds=""), put(t.properties("webhookFunction")["VpcConfig"], SecurityGroupIds=[]))),
    ("role_grants vendors_stand_alone", lambda t: put(grant(t, "mailchimpRole", 5), Resource="att:webhookSecret.Id")),
    ("role_grants own_records every_vendor_has_its_parts", lambda t: t.resources.pop("mailchimpWakerPolicy")),
    (
        "roles_of_functions",
        lambda t: put(t.properties("mailchimpRole")["AssumeRolePolicyDocument"]["Statement"][0], Principal={"AWS": "*"}),
    ),
    ("roles_of_functions", lambda t: put(t.properties("mailchimpFunction"), Role="att:WakerRole.Arn")),
    ("secrets", lambda t: put(t.properties("mailchimpSecret"), SecretString='{"api_key":"k-us21"}')),
    ("secrets", lambda t: put(t.properties("mailchimpSecret"), GenerateSecretString={"PasswordLength": 40})),
    ("secrets", lambda t: put(t.properties("mailchimpSecret"), Name="vendorbridge-one")),
    ("log_groups", lambda t: t.properties("mailchimpLogs").pop("RetentionInDays")),
    ("log_groups", lambda t: t.properties("mailchimpFunction").pop("LoggingConfig")),
    ("alarms every_vendor_has_its_parts", lambda t: t.resources.pop("mailchimpUndeliveredAlarm")),
    ("alarms", lambda t: put(t.properties("mailchimpRejectedAlarm"), Dimensions=[])),
    ("alarms", lambda t: put(t.properties("WakerErrorsAlarm"), TreatMissingData="missing")),
    ("alarms", lambda t: t.resources.pop("ChangesLateAlarm")),
    ("alarms", lambda t: put(t.properties("mailchimpErrorsAlarm"), AlarmActions=["arn:aws:sns:eu-west-1:1:other"])),
    ("alarms", lambda t: put(t.properties("mailchimpFreshnessAlarm"), MetricName="freshness")),
    ("alarms", lambda t: t.properties("mailchimpGaveUpAlarm")["Dimensions"].pop()),
    ("alarms", lambda t: put(t.properties("webhookCircuitAlarm"), AlarmDescription="The circuit is open.")),
    ("alarms", lambda t: put(t.properties("webhookParkedAlarm"), AlarmDescription="Read. See docs/OPERATIONS.md, Freshness.")),
    ("thresholds", lambda t: put(t.properties("webhookFreshnessAlarm"), Threshold="1")),
    ("dashboard", lambda t: put(t.properties("Dashboard"), DashboardBody="{")),
    ("dashboard", lambda t: put(t.properties("Dashboard"), DashboardBody=t.properties("Dashboard")["DashboardBody"].replace("overdue_s", "late_s"))),
    ("dashboard", lambda t: put(t.properties("Dashboard"), DashboardBody=t.properties("Dashboard")["DashboardBody"].replace("webhook", "webhooks", 1))),
    ("tracing", lambda t: put(t.properties("mailchimpFunction"), TracingConfig={"Mode": "Active"})),
    ("tracing", lambda t: t.raw["Parameters"]["Tracing"].update(Default="Active")),
    ("tracing role_grants", lambda t: wider_by(grant(t, "WakerRole", 0), "xray:PutTraceSegments")),
    ("people", lambda t: statement(t, "LookPolicy").update(Resource="*")),
    ("people", lambda t: statement(t, "LookPolicy")["Action"].append("dynamodb:PutItem")),
    ("people", lambda t: statement(t, "LookPolicy").pop("Condition")),
    ("people", lambda t: statement(t, "OperatePolicy", 1).pop("Condition")),
    ("people", lambda t: statement(t, "OperatePolicy", 2)["Condition"].pop("ForAllValues:StringEquals")),
    ("people", lambda t: t.properties("OperatePolicy")["PolicyDocument"]["Statement"].pop(4)),
    ("people", lambda t: statement(t, "OperatePolicy", 0).update(Resource="arn:aws:sqs:eu-west-1:123456789012:*")),
    ("alarms", lambda t: put(t.properties("webhookFreshnessAlarm"), EvaluateLowSampleCountPercentile="ignore")),
    ("alarms", lambda t: put(t.properties("webhookUnwatchedAlarm"), TreatMissingData="notBreaching")),
    ("people", lambda t: t.outputs.pop("OperatePolicyArn")),
    ("ledger", lambda t: t.properties("Ledger").pop("PointInTimeRecoverySpecification")),
    ("ledger", lambda t: put(t.properties("Ledger"), BillingMode="PROVISIONED")),
    ("ledger", lambda t: put(t.properties("Ledger"), TableName="ledger")),
    ("ledger", lambda t: t.properties("Ledger")["GlobalSecondaryIndexes"][0].update(Projection={"ProjectionType": "ALL"})),
    ("ledger_outlives_the_stack", lambda t: t.resources["Ledger"].update(DeletionPolicy="Delete")),
    ("archive", lambda t: t.resources.pop("Archive")),
    ("every_vendor_has_its_parts", lambda t: t.outputs.pop("SecretArnmailchimp")),
    ("every_vendor_has_its_parts partitions vendor_calls", lambda t: t.raw["Mappings"]["Profile"].pop("webhook")),
    ("vendors_stand_alone", lambda t: put(t.properties("mailchimpQueue"), Tags=[{"Key": "twin", "Value": "webhook"}])),
    ("vendors_stand_alone", lambda t: t.resources.update(Extra={"Type": "AWS::SNS::Topic", "Properties": {}})),
    ("vendors_stand_alone", lambda t: put(t.properties("WakerErrorsAlarm"), AlarmDescription="att:webhookQueue.Arn See docs/OPERATIONS.md, Waker.")),
    ("names queue_policies", lambda t: put(t.properties("mailchimpRule"), Name="r" * 65)),
    ("names", lambda t: put(t.properties("mailchimpUndeliveredQueue"), QueueName="q" * 81)),
    (
        "names vendors_stand_alone",
        lambda t: put(t.properties("mailchimpUndeliveredQueue"), QueueName="vendorbridge-webhook-undelivered"),
    ),
    ("explained", lambda t: t.raw["Parameters"]["Stage"].pop("Description")),
    ("explained", lambda t: t.raw["Parameters"]["Stage"].pop("Default")),
    ("explained", lambda t: t.raw["Outputs"]["BusName"].update(Description={"Fn::Sub": "${AWS::StackName}"})),
    ("loop_variables", lambda t: loop(t)["${Vendor}Queue"]["Properties"].update(QueueName="${Vendor}.fifo")),
    ("loop_variables", lambda t: loop(t)["${Vendor}Queue"].update(DependsOn="${Vendor}Role")),
    ("loop_variables", lambda t: t.raw["Resources"]["Fn::ForEach::PerVendor"].__setitem__(0, "Vendors")),
    ("loop_variables", lambda t: inner_loop(t)[2]["${Vendor}Queue${Partition}"].update(DependsOn="${Vendor}Role")),
    ("loop_variables", lambda t: inner_loop(t)[2].update({"Queue${Partition}": {"Type": "AWS::SQS::Queue"}})),
    ("loop_variables", lambda t: inner_loop(t).__setitem__(0, "Stage")),
]  # fmt: skip


# The same with JWTs.
CHANGES_OF_JWT = [
    ("ingest_callers", lambda t: put(t.properties("IngestRouteEvents"), AuthorizationType="AWS_IAM")),
    ("ingest_callers", lambda t: t.properties("IngestRouteEvents").pop("AuthorizerId")),
    ("ingest_callers", lambda t: t.properties("IngestAuthorizer")["JwtConfiguration"].pop("Audience")),
    ("ingest_callers", lambda t: t.properties("IngestAuthorizer")["JwtConfiguration"].update(Issuer="https://other.example")),
    ("ingest_callers", lambda t: put(t.properties("IngestAuthorizer"), IdentitySource=["$request.querystring.token"])),
    ("ingest_callers", lambda t: put(t.properties("IngestAuthorizer"), AuthorizerType="REQUEST")),
    ("nothing_is_public_unless_asked", lambda t: t.resources.pop("IngestAuthorizer")),
]  # fmt: skip


def wider_by(statement, action):
    statement["Action"] = [*statement["Action"], action]


def another_route(t):
    return {"Type": "AWS::ApiGatewayV2::Route", "Properties": t.properties("IngestRouteEvents") | {"RouteKey": "POST /v1/all"}}


def inner_loop(t):
    return loop(t)["Fn::ForEach::PerPartition"]


def unpartitioned(to):
    to["Input"] = to["Input"].replace(',"partitions":4', "")


def dead_letter_sources(t, vendor):
    return t.properties(f"{vendor}DeadLetterQueue")["RedriveAllowPolicy"]["sourceQueueArns"]


def wider(resources):
    resources[1] = resources[1].replace("_?", "?")


def loop(t):
    return t.raw["Resources"]["Fn::ForEach::PerVendor"][2]


# Everything that is off unless it is asked for.
ALL_ON = {
    "Auth0Source": "aws.partner/auth0.com/acme-1/users",
    "Auth0LogSource": "aws.partner/auth0.com/acme-1/auth0.logs",
    "Auth0EventBusName": "aws.partner/auth0.com/acme-1/users",
    "InventoryTableName": "Inventory",
    "InventoryStreamArn": "arn:aws:dynamodb:eu-west-1:123456789012:table/Inventory/stream/2026-01-01T00:00:00.000",
    "IngestApi": "public",
    "Sapb1Companies": "SBODEMOUS",
    "Lines": '{"acme":{"shape":"canonical","callers":["arn:aws:iam::123456789012:role/acme"],"organizations":{"ACME":"ACME"}}}',
    "webhookPartitions": "4",
    "webhookSubnetIds": "subnet-0a,subnet-0b",
    "webhookSecurityGroupIds": "sg-0c",
    "webhookEgressProxy": "https://proxy.example:3128",
}

JWT = {"IngestJwtIssuer": "https://login.example", "IngestJwtAudiences": "products,partners"}


class ProcessedTemplate(unittest.TestCase):
    def test_each_change_is_found_by_its_rules_and_no_other(self):
        for parameters, changes in ((ALL_ON, CHANGES), (ALL_ON | JWT, CHANGES_OF_JWT)):
            whole = process(**parameters)
            for n, (expected, change) in enumerate(changes):
                with self.subTest(n=n, expected=expected):
                    t = whole.copy()
                    change(t)
                    found = {rule.__name__ for rule in rules.ALL if rule(t)}
                    self.assertEqual(found, set(expected.split()))

    def test_every_rule_has_a_change_that_it_finds(self):
        named = {name for expected, _ in CHANGES for name in expected.split()}
        self.assertEqual({rule.__name__ for rule in rules.ALL} - named, set())


class SourceTemplate(unittest.TestCase):
    """Changes a person makes in template.yaml, through the whole processing."""

    def findings(self, change, **parameters):
        raw = load()
        change(raw)
        t = process(raw, **parameters)
        return {rule.__name__ for rule in rules.ALL if rule(t)}

    def test_settings_of_a_vendor(self):
        def row(**values):
            return lambda raw: raw["Mappings"]["Profile"]["mailchimp"].update(values)

        self.assertEqual(self.findings(row(VisibilityTimeout=170)), {"visibility_outlasts_the_function"})
        self.assertEqual(self.findings(row(MaxInFlight="6")), {"vendor_connections", "partitions"})
        self.assertEqual(self.findings(row(MaximumConcurrency1=1)), {"concurrency_range"})
        self.assertEqual(self.findings(row(MaxReceiveCount=2)), {"redrive_limits"})
        self.assertEqual(self.findings(row(DetailTypes=["x" * 99] * 30)), {"rule_pattern"})
        self.assertEqual(self.findings(row(RotatesSecret="Allow")), set())
        self.assertEqual(self.findings(row(ReadsLines="Allow")), {"own_records"})
        self.assertEqual(self.findings(row(CallsPerSecond="1")), {"vendor_calls"})

    def test_a_reference_in_plain_text(self):
        def plain_text(raw):
            raw["Resources"]["Fn::ForEach::PerVendor"][2]["${Vendor}Function"]["Properties"]["Environment"]["Variables"][
                "VENDOR"
            ] = "${Vendor}"

        self.assertEqual(self.findings(plain_text), {"loop_variables"})

    def test_a_vendor_nobody_looked_up(self):
        def third(raw):
            raw["Mappings"]["Profile"]["acme"] = raw["Mappings"]["Profile"]["webhook"] | {"Partitions": "acmePartitions"}
            for parameter in ("Settings", "Partitions", "SubnetIds", "SecurityGroupIds", "EgressProxy"):
                raw["Parameters"]["acme" + parameter] = raw["Parameters"]["webhook" + parameter]

        self.assertEqual(self.findings(third, Vendors="mailchimp,webhook,acme"), {"vendor_connections", "vendor_calls"})

    def test_live_only_parts_in_an_emulator(self):
        def always(raw):
            raw["Conditions"]["IsLive"] = {"Fn::Equals": ["a", "a"]}

        self.assertIn("archive", self.findings(always, Stage="local"))

    def test_a_stack_name_too_long(self):
        self.assertEqual(self.findings(lambda raw: None, **{"AWS::StackName": "s" * 60}), {"names"})


if __name__ == "__main__":
    unittest.main()
