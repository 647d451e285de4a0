"""API Gateway: whom it lets through a route that asks who calls."""

import contextvars

from . import patch

_SERVICE = "execute-api"


@patch("signed-routes", {
    "app:_handle_execute_api_request": "77a20f6d604b",
    "app:_enforce_execute_api": "41e437c7b90d",
    "services.apigateway:route_authorization_type": "b2e0fb975dfb",
    "services.apigateway:_handle_execute_in_scope": "aa60b8b0dfaa",
    "services.apigateway:_iam_caller_identity_v2": "c4ea0a0645bb",
    "core.iam_evaluator:resolve_credential": "32276bd395ef",
    "core.sigv4:header_signature_failure": "5661f4d2d78e",
    "core.sigv4:parse_header_signature": "cd41d461d959",
})
def signed_routes():
    """A route of an HTTP API with AWS_IAM lets only requests through that are well signed.

    AWS: without a signature, with one of a key that nobody has, over another body, for another service or region, or
    without the session's token, the answer is 403 {"message":"Forbidden"}, and the function is not called. With a good one
    the function is told whose it is, in requestContext.authorizer.iam
    (https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-access-control-iam.html).
    MiniStack: any Authorization header will do. The function is told whom the access key belongs to, whether the signature is
    theirs or not, and nothing at all for a key that nobody has. With --auth signatures and policies are checked, but not
    those of the root keys (`test`), and the answer is another one. Here with and without: policies still need --auth.
    """
    from ministack import app
    from ministack.services import apigateway

    execute, enforce = app._handle_execute_api_request, app._enforce_execute_api
    current = contextvars.ContextVar("request")

    async def execute_known(
        host, path, method, headers, body, query_params, raw_path=None, raw_query_string=None
    ):
        token = current.set((method, raw_path or path, query_params, headers, body))
        try:
            return await execute(
                host, path, method, headers, body, query_params, raw_path=raw_path, raw_query_string=raw_query_string
            )
        finally:
            current.reset(token)

    def enforce_signature(
        api_id, stage, method, execute_path, headers, query_params, iam_action="execute-api:Invoke"
    ):
        denied = enforce(api_id, stage, method, execute_path, headers, query_params, iam_action)
        if apigateway.route_authorization_type(api_id, stage, method, execute_path) != "AWS_IAM":
            return denied
        if denied or not _is_signed(*current.get(), *apigateway.find_api_scope(api_id)):
            return 403, {"Content-Type": "application/json"}, b'{"message":"Forbidden"}'
        return None

    app._handle_execute_api_request = execute_known
    app._enforce_execute_api = enforce_signature


def _is_signed(method, raw_path, query_params, headers, body, account_id, region) -> bool:
    """Whether the Authorization header is a signature over this request by a key of the API's account."""
    from ministack.core import iam_evaluator, sigv4

    if not headers.get("authorization", "").startswith("AWS4-HMAC-SHA256 "):
        return False
    signature = sigv4.parse_header_signature(headers)
    if isinstance(signature, tuple) or (signature.service, signature.region) != (_SERVICE, region):
        return False
    credential = iam_evaluator.resolve_credential(
        signature.access_key_id, account_id, headers.get("x-amz-security-token", "")
    )
    if isinstance(credential, iam_evaluator.CredentialResolutionError) or sigv4.request_time_failure(signature):
        return False
    secret = credential.secret_access_key
    return not sigv4.header_signature_failure(signature, secret, method, raw_path, query_params, headers, body)


@patch("malformed-token", {"services.apigateway:_validate_jwt_authorizer": "b29aa12ec1dc"})
def malformed_token():
    """A JWT that is none is answered 401.

    AWS: a token that fails any of the checks is refused; what a claim is by RFC 7519 is one of them
    (https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html).
    MiniStack: checks signature, issuer, audience and times, but answers 500 where the header is no object or a time no number.
    """
    from ministack.services import apigateway

    validate = apigateway._validate_jwt_authorizer

    async def validate_any(route, authorizer, headers, query_params):
        try:
            return await validate(route, authorizer, headers, query_params)
        except (AttributeError, TypeError, ValueError, OverflowError):
            return None, None, apigateway._jwt_unauthorized()

    apigateway._validate_jwt_authorizer = validate_any


PATCHES = (signed_routes, malformed_token)
