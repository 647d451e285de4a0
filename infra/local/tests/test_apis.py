"""Each patch on API Gateway: what AWS does with it, what the bare emulator does without; and what it does by itself."""

import base64
import http.client
import http.server
import json
import threading
import time
import urllib.parse

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from support import CloudTest

PATH = "/v1/things"
ROOT = Credentials("test", "test")


class Api:
    """An HTTP API of one route, and a function behind it."""

    def __init__(self, cloud, **route):
        self.cloud, gateway = cloud, cloud.client("apigatewayv2")
        self.id = gateway.create_api(Name="api", ProtocolType="HTTP")["ApiId"]
        if "issuer" in route:
            jwt = {"Issuer": route.pop("issuer"), "Audience": ["things"]}
            source = ["$request.header.Authorization"]
            made = gateway.create_authorizer(
                ApiId=self.id, Name="jwt", AuthorizerType="JWT", IdentitySource=source, JwtConfiguration=jwt
            )
            route |= {"AuthorizationType": "JWT", "AuthorizerId": made["AuthorizerId"]}
        arn = f"arn:aws:lambda:us-east-1:000000000000:function:{cloud.function()}"
        integration = gateway.create_integration(
            ApiId=self.id, IntegrationType="AWS_PROXY", IntegrationUri=arn, PayloadFormatVersion="2.0"
        )
        target = f"integrations/{integration['IntegrationId']}"
        gateway.create_route(ApiId=self.id, RouteKey=f"POST {PATH}", Target=target, **route)
        gateway.create_stage(ApiId=self.id, StageName="$default", AutoDeploy=True)
        self.url = f"{cloud.endpoint}/_aws/execute-api/{self.id}/$default{PATH}"

    def post(self, body=b"{}", **headers):
        """The status and the body of the answer."""
        to = urllib.parse.urlsplit(self.url)
        connection = http.client.HTTPConnection(to.netloc)
        try:
            connection.request("POST", to.path, body, {"content-type": "application/json", **headers})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def post_signed(self, credentials, sent=b"{}", service="execute-api", region="us-east-1"):
        request = AWSRequest("POST", self.url, {"content-type": "application/json"}, b"{}")
        SigV4Auth(credentials, service, region).add_auth(request)
        return self.post(sent, **dict(request.headers))

    def session(self, role, path=PATH):
        """A session of a new role that may call one path of the API."""
        iam = self.cloud.client("iam")
        account = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::000000000000:root"}, "Action": "sts:AssumeRole"}
        arn = iam.create_role(RoleName=role, AssumeRolePolicyDocument=policy(account))["Role"]["Arn"]
        route = f"arn:aws:execute-api:us-east-1:000000000000:{self.id}/$default/POST{path}"
        invoke = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": route}
        iam.put_role_policy(RoleName=role, PolicyName="invoke", PolicyDocument=policy(invoke))
        key = self.cloud.client("sts").assume_role(RoleArn=arn, RoleSessionName="one")["Credentials"]
        return Credentials(key["AccessKeyId"], key["SecretAccessKey"], key["SessionToken"])

    def callers(self):
        """Who called, by what the function was told."""
        return [line["authorizer"] for line in self.cloud.notes(path=PATH)]


def policy(statement):
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


class SignedRoutes(CloudTest):
    FORBIDDEN = (403, b'{"message":"Forbidden"}')

    def answers(self, *options):
        """The answers to requests that are not well signed, and how many of them reached the function."""
        cloud = self.cloud(*options)
        api = Api(cloud, AuthorizationType="AWS_IAM")
        acme = api.session("acme")
        answers = {
            "no signature": api.post(),
            "another scheme": api.post(authorization="Bearer token"),
            "a key that nobody has": api.post_signed(Credentials("AKIANOBODYSKEY00", "secret")),
            "another secret": api.post_signed(Credentials(acme.access_key, "secret", acme.token)),
            "root's key with another secret": api.post_signed(Credentials("test", "secret")),
            "without the token": api.post_signed(Credentials(acme.access_key, acme.secret_key)),
            "another body": api.post_signed(acme, sent=b'{"more": 1}'),
            "for another service": api.post_signed(acme, service="lambda"),
            "for another region": api.post_signed(acme, region="eu-west-1"),
        }
        return answers, len(api.callers())

    def test_nothing_but_a_good_signature_gets_through(self):
        for options in ((), ("--auth",)):
            answers, calls = self.answers(*options)
            for what, answer in answers.items():
                with self.subTest(what, options=options):
                    self.assertEqual(answer, self.FORBIDDEN)
            self.assertEqual(calls, 0)

    def test_without_the_patch_any_header_will_do(self):
        answers, calls = self.answers("--without", "signed-routes")
        self.assertEqual(answers.pop("no signature")[0], 403)
        self.assertEqual({status for status, _ in answers.values()}, {200})
        self.assertEqual(calls, len(answers))

    def test_the_function_is_told_who_signed(self):
        cloud = self.cloud()
        api = Api(cloud, AuthorizationType="AWS_IAM")
        for credentials in (ROOT, api.session("acme"), api.session("other")):
            self.assertEqual(api.post_signed(credentials)[0], 200)
        told = [caller["iam"] for caller in api.callers()]
        self.assertEqual(
            [caller["userArn"] for caller in told],
            [
                "arn:aws:iam::000000000000:root",
                "arn:aws:sts::000000000000:assumed-role/acme/one",
                "arn:aws:sts::000000000000:assumed-role/other/one",
            ],
        )
        self.assertEqual({caller["accountId"] for caller in told}, {"000000000000"})
        self.assertRegex(told[1]["callerId"], "^AROA[0-9A-Z]+:one$")

    def test_with_auth_a_policy_has_to_allow_the_route(self):
        api = Api(self.cloud("--auth"), AuthorizationType="AWS_IAM")
        self.assertEqual(api.post_signed(api.session("acme"))[0], 200)
        self.assertEqual(api.post_signed(api.session("other", path="/v1/others")), self.FORBIDDEN)


class Issuer:
    """Who issues JWTs: a key of its own, published as OpenID Connect has it."""

    def __init__(self, test):
        self.key = rsa.generate_private_key(65537, 2048)
        documents = {}

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200 if self.path in documents else 404)
                self.end_headers()
                self.wfile.write(json.dumps(documents.get(self.path)).encode())

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        test.addCleanup(server.server_close)
        test.addCleanup(server.shutdown)
        self.url = f"http://127.0.0.1:{server.server_port}"
        numbers = self.key.public_key().public_numbers()
        public = {"n": base64url(numbers.n.to_bytes(256, "big")), "e": base64url(numbers.e.to_bytes(3, "big"))}
        documents["/.well-known/openid-configuration"] = {"issuer": self.url, "jwks_uri": f"{self.url}/keys"}
        documents["/keys"] = {"keys": [{"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "one", **public}]}

    def token(self, key=None, header=None, **claims):
        now = int(time.time())
        claims = {"iss": self.url, "aud": "things", "client_id": "acme", "iat": now - 5, "exp": now + 300, **claims}
        header = {"alg": "RS256", "kid": "one"} if header is None else header
        signed = ".".join(base64url(json.dumps(part).encode()) for part in (header, claims))
        signature = (key or self.key).sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{signed}.{base64url(signature)}"


def base64url(value):
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


class Jwt(CloudTest):
    def api(self, *options):
        issuer = Issuer(self)
        return issuer, Api(self.cloud(*options), issuer=issuer.url)

    def status(self, api, token):
        return api.post(authorization=f"Bearer {token}")[0]

    def test_the_emulator_checks_them_by_itself(self):
        issuer, api = self.api()
        now = int(time.time())
        self.assertEqual(self.status(api, issuer.token()), 200)
        self.assertEqual(self.status(api, issuer.token(aud=["others", "things"])), 200)
        self.assertEqual([caller["jwt"]["claims"]["client_id"] for caller in api.callers()], ["acme", "acme"])
        bad = {
            "expired": issuer.token(exp=now - 1),
            "not yet": issuer.token(nbf=now + 60),
            "of another issuer": issuer.token(iss="https://other.example"),
            "for another audience": issuer.token(aud="others"),
            "signed by another key": issuer.token(key=rsa.generate_private_key(65537, 2048)),
            "with a key that the issuer does not have": issuer.token(header={"alg": "RS256", "kid": "two"}),
            "not signed": issuer.token(header={"alg": "none", "kid": "one"}).rpartition(".")[0] + ".",
            "no token": "token",
        }
        self.assertEqual({what: self.status(api, token) for what, token in bad.items()}, dict.fromkeys(bad, 401))
        self.assertEqual(api.post()[0], 401)
        self.assertEqual(api.post_signed(ROOT)[0], 401)
        self.assertEqual(len(api.callers()), 2)

    def malformed(self, *options):
        issuer, api = self.api(*options)
        tokens = (issuer.token(exp="soon"), issuer.token(exp=None), issuer.token(header=[]))
        return [self.status(api, token) for token in tokens]

    def test_a_malformed_one_is_refused(self):
        self.assertEqual(self.malformed(), [401, 401, 401])

    def test_without_the_patch_it_is_an_error_of_the_server(self):
        self.assertEqual(self.malformed("--without", "malformed-token"), [500, 500, 500])


class Cors(CloudTest):
    def test_it_is_off_unless_the_api_asks_for_it(self):
        api = Api(self.cloud(), AuthorizationType="AWS_IAM")
        to = urllib.parse.urlsplit(api.url)
        for method in ("OPTIONS", "POST"):
            connection = http.client.HTTPConnection(to.netloc)
            self.addCleanup(connection.close)
            asked = {"origin": "https://other.example", "access-control-request-method": "POST"}
            connection.request(method, to.path, headers=asked)
            answer = connection.getresponse()
            self.assertEqual(answer.status, 403)
            self.assertEqual([name for name, _ in answer.getheaders() if name.lower().startswith("access-control")], [])
            answer.read()
