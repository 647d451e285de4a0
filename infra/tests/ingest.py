"""What Vendorbridge promises of the ingest API; rules as in rules.py, which takes them up."""

import re

from reading import conditions, documents, number, parse, partition_arns

# The ingest API's routes for lines of business, by their logical ids. Who calls them API Gateway has to know.
LINE_ROUTES = {
    "IngestRouteEvents": "POST /v1/lines/{line}/events",
    "IngestRouteOutcome": "GET /v1/events/{id}",
    "IngestRouteSchemas": "GET /v1/schemas",
    "IngestRouteSchema": "GET /v1/schemas/{event}",
    "IngestRouteOpenApi": "GET /v1/openapi.json",
}
# The one that checks credentials itself.
OPEN_ROUTES = {"IngestSapb1Route": "POST /v1/events/sapb1"}
# What there is if, and only if, IngestApi asks for it: always, for everybody, with JWTs, with lines.
PARTS = {
    "Ingest", "IngestSecret", "IngestLogs", "IngestRole", "IngestHttpApi", "IngestIntegration", "IngestStage", "IngestAccessLogs",
    "IngestErrorsAlarm", "IngestThrottlesAlarm", "IngestFailuresAlarm",
    *LINE_ROUTES, *(i.replace("Route", "Permission") for i in LINE_ROUTES),
}  # fmt: skip
PUBLIC_PARTS = {"IngestPermission", *OPEN_ROUTES}
JWT_PARTS = {"IngestAuthorizer"}
LINES_PARTS = {"IngestLinesPolicy"}
ALL_PARTS = PARTS | PUBLIC_PARTS | JWT_PARTS | LINES_PARTS
OUTPUTS = {"IngestUrl", "IngestFunctionName", "IngestSecretArn"}
# Where products of lines of business go.
VENDOR_OF_LINES = "discovery"
VARIABLES = {
    "BUS_NAME", "INGEST_SECRET", "SAPB1_COMPANIES", "LEDGER_TABLE", "LINES", "INGEST_CALLS_PER_10_SECONDS", "EVENT_TTL_DAYS",
    "DISCOVERY_QUEUE_URL", "DISCOVERY_PARTITIONS", "LOG_LEVEL",
}  # fmt: skip
LEDGER_OF_LINES = {"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"}


def has_lines(t):
    return t.parameters["IngestApi"] != "none" and t.parameters["Lines"] != "{}"


def has_jwt(t):
    return t.parameters["IngestApi"] != "none" and bool(t.parameters["IngestJwtIssuer"] and t.parameters["IngestJwtAudiences"])


def ingest_parts(t):
    """What the parameters ask for of the ingest API."""
    api = t.parameters["IngestApi"]
    parts = ((PARTS, api != "none"), (PUBLIC_PARTS, api == "public"), (JWT_PARTS, has_jwt(t)), (LINES_PARTS, has_lines(t)))
    return {i for part, asked in parts if asked for i in part}


def nothing_is_public_unless_asked(t):
    """No API, no URL of a function, and nothing else of ingest, unless IngestApi asks; and of it just what it asks for."""
    wanted, there = ingest_parts(t), ALL_PARTS & t.resources.keys()
    found = []
    if there != wanted:
        found.append(f"IngestApi is {t.parameters['IngestApi']}: {sorted(there - wanted)} is too much, {sorted(wanted - there)} missing")
    if OUTPUTS & t.outputs.keys() != (OUTPUTS if wanted else set()):
        found.append("outputs of an API that is not there, or none of one that is")
    doors = ("ApiGatewayV2::Api", "ApiGateway::RestApi", "Lambda::Url", "ElasticLoadBalancingV2::LoadBalancer")
    open_doors = {i for kind in doors for i, _ in t.of(kind)}
    if open_doors != ({"IngestHttpApi"} if wanted else set()):
        found.append(f"public: {sorted(open_doors)}")
    if t.raw["Parameters"]["IngestApi"].get("Default") != "none":
        found.append("IngestApi: public by default")
    return found


def ingest_callers(t):
    """Of every route but the one that checks credentials itself, API Gateway knows who calls: a signature, or a JWT of the
    issuer for one of the audiences."""
    found = []
    for i, route in t.of("ApiGatewayV2::Route"):
        if LINE_ROUTES.get(i, OPEN_ROUTES.get(i)) != route["RouteKey"]:
            found.append(f"{i}: a route that nobody looked up")
        authorization = (route.get("AuthorizationType"), route.get("AuthorizerId"))
        if authorization != (("NONE", None) if i in OPEN_ROUTES else ("JWT", "ref:IngestAuthorizer") if has_jwt(t) else ("AWS_IAM", None)):
            found.append(f"{i}: open to others, by {authorization}")
    jwt = {"Issuer": t.parameters["IngestJwtIssuer"], "Audience": t.parameters["IngestJwtAudiences"].split(",")}
    for i, authorizer in t.of("ApiGatewayV2::Authorizer"):
        if (authorizer.get("ApiId"), authorizer.get("AuthorizerType")) != ("ref:IngestHttpApi", "JWT"):
            found.append(f"{i}: not of this API, or not for JWTs")
        if authorizer.get("JwtConfiguration") != jwt or not all([jwt["Issuer"], *jwt["Audience"]]):
            found.append(f"{i}: takes other tokens than those of the issuer for the audiences")
        if authorizer.get("IdentitySource") != ["$request.header.Authorization"]:
            found.append(f"{i}: takes tokens from where logs and proxies see them")
    return found


def ingest_routes(t):
    """Each route reaches the one function, is throttled and logged, and may call it on its own path only."""
    found = []
    sources = set()
    for i, route in t.of("ApiGatewayV2::Route"):
        if (route.get("ApiId"), route.get("Target")) != ("ref:IngestHttpApi", "integrations/ref:IngestIntegration"):
            found.append(f"{i}: leads elsewhere")
        method, path = route["RouteKey"].split(" ", 1)
        path = re.sub(r"\{\w+\}", "*", path)
        sources.add(f"arn:aws:execute-api:eu-west-1:123456789012:ref:IngestHttpApi/*/{method}{path}")
    permissions = [p for _, p in t.of("Lambda::Permission") if p["FunctionName"] == "ref:Ingest"]
    if {p.get("SourceArn") for p in permissions} != sources:
        found.append("permissions to call the function: others than those of the routes")
    if any((p.get("Action"), p.get("Principal")) != ("lambda:InvokeFunction", "apigateway.amazonaws.com") for p in permissions):
        found.append("permissions to call the function: not for API Gateway, or for more than calls")
    for i, stage in t.of("ApiGatewayV2::Stage"):
        throttle = stage.get("DefaultRouteSettings", {})
        wanted = {
            "ThrottlingRateLimit": t.parameters["IngestRateLimit"],
            "ThrottlingBurstLimit": t.parameters["IngestBurstLimit"],
        }
        if {name: str(value) for name, value in throttle.items()} != wanted:
            found.append(f"{i}: not throttled by the parameters")
        log = stage.get("AccessLogSettings", {})
        line = parse(log.get("Format"))
        if log.get("DestinationArn") != "att:IngestAccessLogs.Arn" or not line or not {"status", "request_id"} <= line.keys():
            found.append(f"{i}: no access log")
        if any(word in str(line) for word in ("authorizer", "header", "querystring", "path")):
            found.append(f"{i}: its access log tells what callers send")
    for i, api in t.of("ApiGatewayV2::Api"):
        if "CorsConfiguration" in api:
            found.append(f"{i}: may be called from other sites' pages")
    for i, integration in t.of("ApiGatewayV2::Integration"):
        if (integration.get("IntegrationUri"), integration.get("PayloadFormatVersion")) != ("att:Ingest.Arn", "2.0"):
            found.append(f"{i}: not the function, or not as it reads requests")
        if not 20 < number(t.properties("Ingest").get("Timeout", 3)) < number(integration.get("TimeoutInMillis", 30000)) / 1000 < 30:
            found.append(f"{i}: the sender is gone before the function has answered")
    for i, group in t.of("Logs::LogGroup"):
        if i == "IngestAccessLogs" and (not number(group.get("RetentionInDays", 0)) or not group["LogGroupName"].startswith("/aws/vendedlogs/")):
            found.append(f"{i}: kept for ever, or its name fills the account's resource policy")
    return found


def ingest_puts_its_own_events(t):
    """Whoever takes the function over can pretend to be SAP Business One, and nobody else."""
    if "IngestRole" not in t.resources:
        return []
    only = {"ForAllValues:StringEquals": {"events:source": "sapb1", "events:detail-type": "SapObjectChanged"}}
    if conditions(documents(t, "IngestRole"), "att:Bus.Arn") != {"events:PutEvents": [only]}:
        return ["IngestRole: puts events of any source"]
    return []


def ingest_lines(t):
    """The function is told the lines and the queue of their vendor, and nothing of a queue as long as there are no lines."""
    if "Ingest" not in t.resources:
        return []
    variables = t.properties("Ingest").get("Environment", {}).get("Variables", {})
    url = f"https://sqs.eu-west-1.amazonaws.com/123456789012/{t.properties('Bus')['Name']}-{VENDOR_OF_LINES}.fifo"
    wanted = {"LINES": t.parameters["Lines"], "INGEST_CALLS_PER_10_SECONDS": t.parameters["IngestCallsPer10Seconds"]}
    if VENDOR_OF_LINES in t.raw["Mappings"]["Profile"]:
        wanted |= {"DISCOVERY_QUEUE_URL": url if has_lines(t) else "", "DISCOVERY_PARTITIONS": t.parameters[f"{VENDOR_OF_LINES}Partitions"]}
    return [f"Ingest: {name} is {variables.get(name)!r}" for name, value in wanted.items() if variables.get(name) != value]


def ingest_records(t):
    """Of the ledger, the function writes the lines' states and its own requests, and reads what became of them at the vendor.
    Without lines it does no more than to count who calls how often."""
    if "IngestRole" not in t.resources:
        return []
    counts = {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["ingest#*"]}}
    own = {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["line#*", "ingest#*"]}}
    outcomes = {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": [f"{VENDOR_OF_LINES}#*"]}}
    wanted = {action: [own] for action in LEDGER_OF_LINES} | {
        "dynamodb:GetItem": [own, outcomes],
        "dynamodb:UpdateItem": [counts],
    }
    have = conditions(documents(t, "IngestRole"), "att:Ledger.Arn")
    return [] if have == (wanted if has_lines(t) else {"dynamodb:UpdateItem": [counts]}) else ["IngestRole: reaches other records, or not all that it needs"]


def grants_wanted(t):
    """Resource -> actions, of the function's role; its log group aside."""
    wanted = {
        "att:Bus.Arn": {"events:PutEvents"},
        "att:IngestSecret.Id": {"secretsmanager:GetSecretValue"},
        "att:Ledger.Arn": {"dynamodb:UpdateItem"},
    }
    if has_lines(t):
        others = partition_arns(t, VENDOR_OF_LINES)
        wanted |= {arn: {"sqs:SendMessage"} for arn in (others.replace("_?", ""), others)} | {"att:Ledger.Arn": LEDGER_OF_LINES}
    return wanted


def variables_wanted(t):
    """The function's variables; what is of one vendor goes with it."""
    has_vendor = VENDOR_OF_LINES in t.raw["Mappings"]["Profile"]
    return {name for name in VARIABLES if has_vendor or not name.startswith("DISCOVERY_")}


RULES = [nothing_is_public_unless_asked, ingest_callers, ingest_routes, ingest_puts_its_own_events, ingest_lines, ingest_records]
