"""Asks a pretend AWS, with boto3, whether it behaves as AWS does: 85 checks, one line each.

    python probe.py URL ACCESS_KEY_ID SECRET CLOCK

ACCESS_KEY_ID and SECRET are the root user's. CLOCK is the address at which the clock is turned (a POST of
{"advance": "+13h"}); `-` where there is none, and the check that needs it waits for a token of 900 seconds to end.
"""

import base64
import hashlib
import hmac
import json
import struct
import sys
import time
import urllib.request
import uuid
from datetime import datetime, timedelta, timezone

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

URL, ROOT, SECRET, CLOCK = sys.argv[1:5]
REGION = "us-east-1"
RUN = uuid.uuid4().hex[:8]
ANY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
CONFIG = Config(retries={"max_attempts": 1}, parameter_validation=False, s3={"addressing_style": "path"})
results = []


def client(service, key=ROOT, secret=SECRET, token=None):
    return boto3.client(service, region_name=REGION, endpoint_url=URL, aws_access_key_id=key,
                        aws_secret_access_key=secret, aws_session_token=token, config=CONFIG)


def using(service, credentials):
    return client(service, credentials["AccessKeyId"], credentials["SecretAccessKey"], credentials.get("SessionToken"))


def code(action):
    """The error code of a call, or `ok`."""
    try:
        action()
        return "ok"
    except ClientError as error:
        return error.response["Error"]["Code"]


def check(name, test):
    try:
        answer = test()
        result = "ok" if answer is True or answer is None else f"no ({answer})"
    except Exception as error:  # whatever the emulator throws is its answer
        result = f"err {type(error).__name__}: {str(error)[:160]}"
    results.append((name, result))
    print(f"{result[:3].strip():4} {name}{'' if result == 'ok' else '  ' + result}", flush=True)


def refused(action, *codes):
    answer = code(action)
    if answer == "ok":
        return "was allowed"
    return True if not codes or answer in codes else f"refused with {answer}"


def denied(action):
    return refused(action, "AccessDenied", "AccessDeniedException", "UnauthorizedOperation")


def allowed(action):
    answer = code(action)
    return True if answer == "ok" else answer


def both(*answers):
    return next((answer for answer in answers if answer is not True), True)


def document(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def deny(condition=None, action="*", effect="Deny"):
    statement = {"Effect": effect, "Action": action, "Resource": "*"}
    if condition:
        statement["Condition"] = condition
    return document(statement)


def iso(seconds=0, form="%Y-%m-%dT%H:%M:%S.000Z"):
    return (now() + timedelta(seconds=seconds)).strftime(form)


def now():
    """The emulator's time: its own Date header, since its clock may have been turned."""
    if CLOCK == "-":
        return datetime.now(timezone.utc)
    with urllib.request.urlopen(CLOCK) as answer:
        return datetime.fromisoformat(json.load(answer)["now"].replace("Z", "+00:00"))


def advance(by):
    body = json.dumps({"advance": by}).encode()
    request = urllib.request.Request(CLOCK, body, {"Content-Type": "application/json"}, method="POST")
    urllib.request.urlopen(request).read()


METADATA = ('<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="https://idp.example.com">'
            '<IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><KeyDescriptor use="signing">'
            '<KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data><X509Certificate>'
            + "A" * 1100 + "</X509Certificate></X509Data></KeyInfo></KeyDescriptor>"
            '<SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://idp.example.com/sso"/>'
            "</IDPSSODescriptor></EntityDescriptor>")
ASSERTION = ('<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="r" Version="2.0" IssueInstant="{now}">'
             "<saml:Issuer>https://idp.example.com</saml:Issuer><samlp:Status><samlp:StatusCode Value=\"urn:oasis:names:tc:SAML:2.0:status:Success\"/></samlp:Status>"
             '<saml:Assertion ID="a" Version="2.0" IssueInstant="{now}"><saml:Issuer>https://idp.example.com</saml:Issuer>'
             '<saml:Subject><saml:NameID Format="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent">eve</saml:NameID>'
             '<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData NotOnOrAfter="{end}" Recipient="https://signin.aws.amazon.com/saml"/></saml:SubjectConfirmation></saml:Subject>'
             '<saml:Conditions NotBefore="{now}" NotOnOrAfter="{end}"><saml:AudienceRestriction><saml:Audience>urn:amazon:webservices</saml:Audience></saml:AudienceRestriction></saml:Conditions>'
             '<saml:AuthnStatement AuthnInstant="{now}"/><saml:AttributeStatement>'
             '<saml:Attribute Name="https://aws.amazon.com/SAML/Attributes/Role"><saml:AttributeValue>{role},{provider}</saml:AttributeValue></saml:Attribute>'
             '<saml:Attribute Name="https://aws.amazon.com/SAML/Attributes/RoleSessionName"><saml:AttributeValue>eve</saml:AttributeValue></saml:Attribute>'
             "</saml:AttributeStatement></saml:Assertion></samlp:Response>")


sts, iam, s3, sqs, sns = (client(name) for name in ("sts", "iam", "s3", "sqs", "sns"))
account = sts.get_caller_identity()["Account"]
TRUST = document({"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account}:root"}, "Action": ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"]})
user, role = f"u-{RUN}", f"r-{RUN}"
role_arn = f"arn:aws:iam::{account}:role/{role}"
kept = {}


def new_user(name, policy=ANY):
    iam.create_user(UserName=name)
    iam.put_user_policy(UserName=name, PolicyName="all", PolicyDocument=json.dumps(policy))
    return iam.create_access_key(UserName=name)["AccessKey"]


def new_role(name, trust=TRUST, policy=ANY):
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)
    iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=json.dumps(policy))
    return f"arn:aws:iam::{account}:role/{name}"


def assume(caller, arn=None, session="probe", **more):
    return caller.assume_role(RoleArn=arn or role_arn, RoleSessionName=session, **more)["Credentials"]


def credentials_begin(prefix, credentials):
    key = credentials["AccessKeyId"]
    return True if key.startswith(prefix) else key


def step(name):
    """Runs the function of the check and keeps what it returns for later checks."""
    def decorate(function):
        check(name, function)
        return function
    return decorate


check("sts.GetCallerIdentity(root)", lambda: sts.get_caller_identity()["Arn"] == f"arn:aws:iam::{account}:root")
check("iam.CreateUser", lambda: iam.create_user(UserName=user)["User"]["UserId"].startswith("AIDA"))


@step("iam.CreateAccessKey AKIA")
def _():
    kept["key"] = iam.create_access_key(UserName=user)["AccessKey"]
    return credentials_begin("AKIA", kept["key"])


@step("iam.PutUserPolicy allow-all")
def _():
    iam.put_user_policy(UserName=user, PolicyName="all", PolicyDocument=json.dumps(ANY))
    return iam.list_user_policies(UserName=user)["PolicyNames"] == ["all"]


check("iam.CreateRole", lambda: iam.create_role(RoleName=role, AssumeRolePolicyDocument=TRUST)["Role"]["RoleId"].startswith("AROA"))


@step("iam.PutRolePolicy allow-all")
def _():
    iam.put_role_policy(RoleName=role, PolicyName="all", PolicyDocument=json.dumps(ANY))
    return iam.get_role_policy(RoleName=role, PolicyName="all")["PolicyDocument"] == ANY


key = kept["key"]
u_sts, u_iam, u_s3 = (using(name, key) for name in ("sts", "iam", "s3"))
check("sts.GetCallerIdentity(user key)", lambda: u_sts.get_caller_identity()["Arn"].endswith(f":user/{user}"))


@step("sts.AssumeRole ASIA")
def _():
    kept["role"] = assume(u_sts)
    return credentials_begin("ASIA", kept["role"])


@step("sts.AssumeRole w/ exact-ARN trust (fallback)")
def _():
    trust = document({"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account}:user/{user}"}, "Action": "sts:AssumeRole"})
    return credentials_begin("ASIA", assume(u_sts, new_role(f"exact-{RUN}", trust)))


missing = f"arn:aws:iam::{account}:role/missing-{RUN}"
check("sts.AssumeRole nonexistent role refused", lambda: denied(lambda: assume(u_sts, missing)))
check("sts.AssumeRole dur>MaxSession refused", lambda: refused(lambda: assume(u_sts, DurationSeconds=7200), "ValidationError"))
check("sts.AssumeRole dur<900 refused", lambda: refused(lambda: assume(u_sts, DurationSeconds=60), "ValidationError"))
check("sts.GetSessionToken dur>36h refused", lambda: refused(lambda: u_sts.get_session_token(DurationSeconds=129601), "ValidationError"))


@step("sts.AssumeRole SourceIdentity+Tags")
def _():
    answer = u_sts.assume_role(RoleArn=role_arn, RoleSessionName="tags", SourceIdentity="eve", Tags=[{"Key": "team", "Value": "red"}])
    return answer.get("SourceIdentity") == "eve" and answer.get("PackedPolicySize", 0) > 0


@step("sts.GetSessionToken ASIA")
def _():
    kept["gst"] = u_sts.get_session_token()["Credentials"]
    return credentials_begin("ASIA", kept["gst"])


check("sts.GetSessionToken unique", lambda: u_sts.get_session_token()["Credentials"]["AccessKeyId"] != kept["gst"]["AccessKeyId"])


@step("sts.GetFederationToken ASIA")
def _():
    kept["gft"] = u_sts.get_federation_token(Name="fed", Policy=json.dumps(ANY))["Credentials"]
    return credentials_begin("ASIA", kept["gft"])


gst, gft, session = kept["gst"], kept["gft"], kept["role"]


def whoami(credentials):
    return using("sts", credentials).get_caller_identity()["Arn"]


check("sts.GCI of AssumeRole token", lambda: whoami(session).endswith(f":assumed-role/{role}/probe"))
check("sts.GCI of GetSessionToken token", lambda: whoami(gst).endswith(f":user/{user}"))
check("sts.GCI of FederationToken token", lambda: whoami(gft).endswith(":federated-user/fed"))
check("sts.role chaining AssumeRole from role", lambda: credentials_begin("ASIA", assume(using("sts", session), session="chained")))


@step("sts.role chaining >1h refused")
def _():
    iam.update_role(RoleName=role, MaxSessionDuration=43200)
    return both(allowed(lambda: assume(u_sts, DurationSeconds=7200)),
                refused(lambda: assume(using("sts", session), DurationSeconds=7200), "ValidationError"))


check("sts.GST token may not call IAM (no MFA)", lambda: refused(lambda: using("iam", gst).list_users()))
check("sts.GST token may not GetSessionToken", lambda: refused(lambda: using("sts", gst).get_session_token()))
check("sts.GFT token may not AssumeRole", lambda: refused(lambda: assume(using("sts", gft))))
check("sts.role token may not GetSessionToken", lambda: refused(lambda: using("sts", session).get_session_token()))
check("sts.GetAccessKeyInfo(AKIA)", lambda: sts.get_access_key_info(AccessKeyId=key["AccessKeyId"])["Account"] == account)
check("sts.GetAccessKeyInfo(ASIA)", lambda: sts.get_access_key_info(AccessKeyId=gst["AccessKeyId"])["Account"] == account)


def jwt(claims):
    part = lambda value: base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()
    return f"{part({'alg': 'RS256', 'typ': 'JWT', 'kid': 'probe'})}.{part(claims)}.{base64.urlsafe_b64encode(b'signature').rstrip(b'=').decode()}"


@step("sts.AssumeRoleWithWebIdentity")
def _():
    issuer = f"oidc-{RUN}.example.com"
    provider = iam.create_open_id_connect_provider(Url=f"https://{issuer}", ClientIDList=["aud"], ThumbprintList=["a" * 40])["OpenIDConnectProviderArn"]
    trust = document({"Effect": "Allow", "Principal": {"Federated": provider}, "Action": "sts:AssumeRoleWithWebIdentity",
                      "Condition": {"StringEquals": {f"{issuer}:sub": "repo:x"}}})
    arn = new_role(f"oidc-{RUN}", trust)
    claims = {"iss": f"https://{issuer}", "aud": "aud", "sub": "repo:x", "iat": int(now().timestamp()), "exp": int(now().timestamp()) + 600}
    call = lambda claims: u_sts.assume_role_with_web_identity(RoleArn=arn, RoleSessionName="web", WebIdentityToken=jwt(claims))
    foreign = dict(claims, iss="https://other.example.com")
    return both(credentials_begin("ASIA", call(claims)["Credentials"]),
                denied(lambda: call(dict(claims, sub="repo:y"))),
                refused(lambda: call(foreign), "InvalidIdentityToken"))


@step("sts.AssumeRoleWithSAML")
def _():
    provider = iam.create_saml_provider(Name=f"saml-{RUN}", SAMLMetadataDocument=METADATA)["SAMLProviderArn"]
    trust = document({"Effect": "Allow", "Principal": {"Federated": provider}, "Action": "sts:AssumeRoleWithSAML"})
    arn = new_role(f"saml-{RUN}", trust)
    assertion = base64.b64encode(ASSERTION.format(role=arn, provider=provider, now=iso(form="%Y-%m-%dT%H:%M:%SZ"), end=iso(600, "%Y-%m-%dT%H:%M:%SZ")).encode()).decode()
    call = lambda arn: u_sts.assume_role_with_saml(RoleArn=arn, PrincipalArn=provider, SAMLAssertion=assertion)
    return both(credentials_begin("ASIA", call(arn)["Credentials"]), denied(lambda: call(role_arn)))




@step("sts.AssumeRoot")
def _():
    organization = client("organizations")
    allowed(lambda: organization.create_organization(FeatureSet="ALL"))
    member = organization.create_account(Email=f"m-{RUN}@example.com", AccountName="member")["CreateAccountStatus"]
    kept["member"] = organization.describe_create_account_status(CreateAccountRequestId=member["Id"])["CreateAccountStatus"]["AccountId"]
    allowed(lambda: iam.enable_organizations_root_sessions())
    task = {"arn": "arn:aws:iam::aws:policy/root-task/IAMAuditRootUserCredentials"}
    answer = u_sts.assume_root(TargetPrincipal=kept["member"], TaskPolicyArn=task)["Credentials"]
    return both(credentials_begin("ASIA", answer), whoami(answer) == f"arn:aws:iam::{kept['member']}:root",
                denied(lambda: using("s3", answer).list_buckets()))


@step("sts.DecodeAuthorizationMessage")
def _():
    nobody = new_user(f"nobody-{RUN}", {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:List*", "Resource": "*"}]})
    try:
        using("ec2", nobody).describe_instances()
        return "was allowed"
    except ClientError as error:
        message = error.response["Error"]["Message"]
    encoded = message.split("Encoded authorization failure message: ")[1]
    return json.loads(sts.decode_authorization_message(EncodedMessage=encoded)["DecodedMessage"])["allowed"] is False


DENY_ALL = "arn:aws:iam::aws:policy/AWSDenyAll"
QUARANTINE = "arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantineV3"
other = f"o-{RUN}"
other_key = new_user(other)


def attached(name):
    return [policy["PolicyArn"] for policy in iam.list_attached_user_policies(UserName=name)["AttachedPolicies"]]


def attach(arn):
    iam.attach_user_policy(UserName=other, PolicyArn=arn)
    return attached(other) == [arn]


def detach(arn):
    iam.detach_user_policy(UserName=other, PolicyArn=arn)
    return attached(other) == []


check("iam.AttachUserPolicy AWSDenyAll", lambda: attach(DENY_ALL) and denied(lambda: using("s3", other_key).list_buckets()))
check("iam.DetachUserPolicy", lambda: detach(DENY_ALL) and allowed(lambda: using("s3", other_key).list_buckets()))
check("iam.AttachUserPolicy AWSCompromisedKeyQuarantineV3",
      lambda: attach(QUARANTINE) and both(denied(lambda: using("iam", other_key).create_access_key(UserName=other)),
                                          allowed(lambda: assume(using("sts", other_key)))))
check("iam.DetachQuarantine", lambda: detach(QUARANTINE))
check("iam.CreateLoginProfile", lambda: iam.create_login_profile(UserName=other, Password="Pa55word!-long")["LoginProfile"]["UserName"] == other)


@step("iam.DeleteLoginProfile")
def _():
    iam.delete_login_profile(UserName=other)
    return refused(lambda: iam.get_login_profile(UserName=other), "NoSuchEntity")


def totp(seed, at):
    digest = hmac.new(base64.b32decode(seed), struct.pack(">Q", at // 30), hashlib.sha1).digest()
    offset = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[offset:offset + 4])[0] & 0x7FFFFFFF) % 1000000:06d}"


@step("iam.VirtualMFA enable+DeactivateMFADevice")
def _():
    device = iam.create_virtual_mfa_device(VirtualMFADeviceName=f"m-{RUN}")["VirtualMFADevice"]
    serial, seed, at = device["SerialNumber"], device["Base32StringSeed"], int(now().timestamp())
    wrong = refused(lambda: iam.enable_mfa_device(UserName=other, SerialNumber=serial, AuthenticationCode1="000000", AuthenticationCode2="000001"),
                    "InvalidAuthenticationCode")
    iam.enable_mfa_device(UserName=other, SerialNumber=serial, AuthenticationCode1=totp(seed, at - 30), AuthenticationCode2=totp(seed, at))
    listed = [found["SerialNumber"] for found in iam.list_mfa_devices(UserName=other)["MFADevices"]] == [serial]
    iam.deactivate_mfa_device(UserName=other, SerialNumber=serial)
    return both(wrong, listed, iam.list_mfa_devices(UserName=other)["MFADevices"] == [])


BOUNDARY = "arn:aws:iam::aws:policy/ReadOnlyAccess"


@step("iam.PutUserPermissionsBoundary")
def _():
    iam.put_user_permissions_boundary(UserName=other, PermissionsBoundary=BOUNDARY)
    return iam.get_user(UserName=other)["User"]["PermissionsBoundary"]["PermissionsBoundaryArn"] == BOUNDARY


@step("iam.DeleteUserPermissionsBoundary")
def _():
    iam.delete_user_permissions_boundary(UserName=other)
    return "PermissionsBoundary" not in iam.get_user(UserName=other)["User"]


@step("iam.UpdateAssumeRolePolicy")
def _():
    iam.update_assume_role_policy(RoleName=role, PolicyDocument=TRUST)
    return iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"] == json.loads(TRUST)


@step("iam.TagRole/TagUser")
def _():
    tags = [{"Key": "team", "Value": "red"}]
    iam.tag_role(RoleName=role, Tags=tags)
    iam.tag_user(UserName=user, Tags=tags)
    return iam.list_role_tags(RoleName=role)["Tags"] == tags and iam.list_user_tags(UserName=user)["Tags"] == tags


@step("iam.GetAccountAuthorizationDetails")
def _():
    pages = list(iam.get_paginator("get_account_authorization_details").paginate())
    return user in [found["UserName"] for page in pages for found in page["UserDetailList"]]


@step("iam.GenerateCredentialReport")
def _():
    for _ in range(20):
        if iam.generate_credential_report()["State"] == "COMPLETE":
            break
    return user in iam.get_credential_report()["Content"].decode()


def simulated(**more):
    answer = iam.simulate_principal_policy(PolicySourceArn=f"arn:aws:iam::{account}:user/{user}", ActionNames=["s3:GetObject"], **more)
    return answer["EvaluationResults"][0]["EvalDecision"]


check("iam.SimulatePrincipalPolicy", lambda: both(simulated() == "allowed", simulated(PolicyInputList=[deny()]) == "explicitDeny"))
check("iam.SimulateCustomPolicy", lambda: iam.simulate_custom_policy(PolicyInputList=[json.dumps(ANY)], ActionNames=["s3:GetObject"])
      ["EvaluationResults"][0]["EvalDecision"] == "allowed")


@step("iam.GetAccessKeyLastUsed")
def _():
    u_s3.list_buckets()
    answer = iam.get_access_key_last_used(AccessKeyId=key["AccessKeyId"])
    return answer["UserName"] == user and answer["AccessKeyLastUsed"]["ServiceName"] == "s3"


@step("iam.GenerateServiceLastAccessedDetails")
def _():
    job = iam.generate_service_last_accessed_details(Arn=f"arn:aws:iam::{account}:user/{user}")["JobId"]
    answer = iam.get_service_last_accessed_details(JobId=job)
    return answer["JobStatus"] == "COMPLETED" and any(found["ServiceNamespace"] == "s3" for found in answer["ServicesLastAccessed"])


@step("iam.ListInstanceProfilesForRole")
def _():
    iam.create_instance_profile(InstanceProfileName=f"p-{RUN}")
    iam.add_role_to_instance_profile(InstanceProfileName=f"p-{RUN}", RoleName=role)
    return len(iam.list_instance_profiles_for_role(RoleName=role)["InstanceProfiles"]) == 1


bucket = f"b-{RUN}"


@step("s3.CreateBucket+PutObject+List+Get")
def _():
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="a/ü +.txt", Body=b"hello")
    listed = [found["Key"] for found in s3.list_objects_v2(Bucket=bucket)["Contents"]]
    return listed == ["a/ü +.txt"] and s3.get_object(Bucket=bucket, Key="a/ü +.txt")["Body"].read() == b"hello"


@step("s3.PutBucketPolicy")
def _():
    policy = document({"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account}:user/{user}"}, "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/*"})
    s3.put_bucket_policy(Bucket=bucket, Policy=policy)
    return json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"]) == json.loads(policy)


def queue(name, sender):
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = document({"Effect": "Allow", "Principal": {"Service": sender}, "Action": "sqs:SendMessage", "Resource": arn})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    return url, arn


def receive(url):
    messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=2).get("Messages", [])
    for message in messages:
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return [json.loads(message["Body"]) for message in messages]


@step("s3->sqs event notification")
def _():
    url, arn = queue(f"n-{RUN}", "s3.amazonaws.com")
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={"QueueConfigurations": [{"QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}]})
    s3.put_object(Bucket=bucket, Key="noted", Body=b"x")
    records = [record for body in receive(url) + receive(url) for record in body.get("Records", [])]
    return [record["s3"]["object"]["key"] for record in records] == ["noted"]


@step("sns->sqs fanout")
def _():
    url, arn = queue(f"f-{RUN}", "sns.amazonaws.com")
    topic = sns.create_topic(Name=f"t-{RUN}")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    sns.publish(TopicArn=topic, Message="hello")
    return [body["Message"] for body in receive(url)] == ["hello"]


trail = client("cloudtrail")
logs = f"logs-{RUN}"


@step("cloudtrail.CreateTrail+StartLogging")
def _():
    s3.create_bucket(Bucket=logs)
    who = {"Service": "cloudtrail.amazonaws.com"}
    s3.put_bucket_policy(Bucket=logs, Policy=document(
        {"Effect": "Allow", "Principal": who, "Action": "s3:GetBucketAcl", "Resource": f"arn:aws:s3:::{logs}"},
        {"Effect": "Allow", "Principal": who, "Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{logs}/AWSLogs/*"}))
    trail.create_trail(Name=f"trail-{RUN}", S3BucketName=logs, IsMultiRegionTrail=True, EnableLogFileValidation=True)
    trail.start_logging(Name=f"trail-{RUN}")
    return trail.get_trail_status(Name=f"trail-{RUN}")["IsLogging"]


def events(**attribute):
    name, value = next(iter(attribute.items()))
    for _ in range(30):
        found = trail.lookup_events(LookupAttributes=[{"AttributeKey": name, "AttributeValue": value}])["Events"]
        if found:
            return [json.loads(event["CloudTrailEvent"]) for event in found]
        time.sleep(0 if CLOCK == "-" else 1)
    return []


check("cloudtrail.LookupEvents has events", lambda: any(event["requestParameters"]["userName"] == user for event in events(EventName="CreateUser")))


@step("cloudtrail AssumeRole record has responseElements key")
def _():
    found = [event for event in events(EventName="AssumeRole") if event.get("responseElements")]
    keys = [event["responseElements"]["credentials"]["accessKeyId"] for event in found]
    return session["AccessKeyId"] in keys and not any("secretAccessKey" in json.dumps(event) for event in found)


@step("cloudtrail delivers log files to S3")
def _():
    u_s3.list_buckets()
    if CLOCK != "-":
        advance("+10m")
        u_s3.list_buckets()
    return any("/CloudTrail/" in found["Key"] and found["Key"].endswith(".json.gz") for found in s3.list_objects_v2(Bucket=logs, MaxKeys=1000).get("Contents", []))


@step("organizations CreateOrganization+SCP")
def _():
    organization = client("organizations")
    root = organization.list_roots()["Roots"][0]["Id"]
    allowed(lambda: organization.enable_policy_type(RootId=root, PolicyType="SERVICE_CONTROL_POLICY"))
    member = assume(u_sts, f"arn:aws:iam::{kept['member']}:role/OrganizationAccountAccessRole")
    before = allowed(lambda: using("s3", member).list_buckets())
    policy = organization.create_policy(Name=f"scp-{RUN}", Description="", Type="SERVICE_CONTROL_POLICY", Content=deny(action="s3:*"))["Policy"]["PolicySummary"]["Id"]
    organization.attach_policy(PolicyId=policy, TargetId=kept["member"])
    after = denied(lambda: using("s3", member).list_buckets())
    organization.detach_policy(PolicyId=policy, TargetId=kept["member"])
    return both(before, after, allowed(lambda: using("s3", member).list_buckets()))


@step("athena StartQuery+results")
def _():
    athena = client("athena")
    query = athena.start_query_execution(QueryString="SELECT 1", ResultConfiguration={"OutputLocation": f"s3://{bucket}/q/"})["QueryExecutionId"]
    state = athena.get_query_execution(QueryExecutionId=query)["QueryExecution"]["Status"]["State"]
    return state == "SUCCEEDED" and athena.get_query_results(QueryExecutionId=query)["ResultSet"]["Rows"] != []


@step("enf.06 presigned URL w/ session token works")
def _():
    url = using("s3", session).generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "noted"}, ExpiresIn=60)
    return urllib.request.urlopen(url).read() == b"x"


def lists(credentials):
    return lambda: using("s3", credentials).list_buckets()


check("enf.00 random key refused", lambda: refused(lists({"AccessKeyId": "AKIAQQQQQQQQQQQQQQQQ", "SecretAccessKey": "x" * 40}), "InvalidAccessKeyId"))
check("enf.01 wrong secret refused", lambda: refused(lists(dict(key, SecretAccessKey="x" * 40)), "SignatureDoesNotMatch"))
check("enf.02 user key allowed", lambda: allowed(lists(key)))
check("enf.03 role token allowed", lambda: allowed(lists(session)))
check("enf.04 GST token allowed", lambda: allowed(lists(gst)))
check("enf.05 role tok wrong session token refused", lambda: refused(lists(dict(session, SessionToken=gst["SessionToken"])), "InvalidToken", "InvalidClientTokenId"))


def fresh(name):
    """A user with a key and a token, and a role session of the first role."""
    made = new_user(f"{name}-{RUN}")
    token = using("sts", made).get_session_token()["Credentials"]
    return f"{name}-{RUN}", made, token


def put(name, policy):
    iam.put_user_policy(UserName=name, PolicyName="test", PolicyDocument=policy)


@step("enf.10 Deny * on user blocks key+GST, not role")
def _():
    name, made, token = fresh("e10")
    taken = assume(using("sts", made))
    put(name, deny())
    return both(denied(lists(made)), denied(lists(token)), allowed(lists(taken)))


def revoke(name, seconds, form="%Y-%m-%dT%H:%M:%S.000Z"):
    """A role session from before, one from after, under a cut-off so far from now."""
    arn = new_role(f"{name}-{RUN}")
    old = assume(u_sts, arn)
    if CLOCK == "-":
        time.sleep(2)
    else:
        advance("+5s")
    cutoff = iso(seconds, form)
    iam.put_role_policy(RoleName=f"{name}-{RUN}", PolicyName="AWSRevokeOlderSessions", PolicyDocument=deny({"DateLessThan": {"aws:TokenIssueTime": cutoff}}))
    if CLOCK == "-":
        time.sleep(1)
    else:
        advance("+5s")
    return lists(old), lists(assume(u_sts, arn))


def revoked(name, seconds, expect, **form):
    old, new = revoke(name, seconds, **form)
    return both(*(test(action) for test, action in zip(expect, (old, new))))


check("enf.11 revoke cutoff=now: old denied, new ok", lambda: revoked("e11", 0, (denied, allowed)))
check("enf.11b revoke w/o fractional secs", lambda: revoked("e11b", 0, (denied, allowed), form="%Y-%m-%dT%H:%M:%SZ"))
check("enf.12 revoke cutoff=past: neither denied", lambda: revoked("e12", -3600, (allowed, allowed)))
check("enf.13 revoke cutoff=future: both denied", lambda: revoked("e13", 3600, (denied, denied)))


def on_user(name, condition, key_test, token_test):
    who, made, token = fresh(name)
    put(who, deny(json.loads(json.dumps(condition).replace("$USER", who))))
    return both(key_test(lists(made)), token_test(lists(token)))


check("enf.14 TokenIssueTime deny on USER hits GST only",
      lambda: on_user("e14", {"DateLessThan": {"aws:TokenIssueTime": iso(3600)}}, allowed, denied))
check("enf.15 Deny if Null aws:TokenIssueTime=true (longterm)",
      lambda: on_user("e15", {"Null": {"aws:TokenIssueTime": "true"}}, denied, allowed))
check("enf.16 Deny if NotIpAddress 127.0.0.0/8 (not match)",
      lambda: on_user("e16", {"NotIpAddress": {"aws:SourceIp": "127.0.0.0/8"}}, allowed, allowed))
check("enf.17 Deny if StringEquals aws:username=U",
      lambda: on_user("e17", {"StringEquals": {"aws:username": "$USER"}}, denied, denied))
check("enf.18 Deny if StringEquals aws:username=other",
      lambda: on_user("e18", {"StringEquals": {"aws:username": "other"}}, allowed, allowed))


@step("enf.19 session policy restricts")
def _():
    taken = assume(u_sts, Policy=deny(effect="Allow", action="s3:*"))
    return both(allowed(lists(taken)), denied(lambda: using("iam", taken).list_users()))


@step("enf.20 permissions boundary restricts")
def _():
    name, made, _token = fresh("e20")
    boundary = iam.create_policy(PolicyName=f"boundary-{RUN}", PolicyDocument=deny(effect="Allow", action="s3:*"))["Policy"]["Arn"]
    iam.put_user_permissions_boundary(UserName=name, PermissionsBoundary=boundary)
    return both(allowed(lists(made)), denied(lambda: using("iam", made).list_users()))


@step("enf.21 trust policy enforced")
def _():
    trust = document({"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account}:user/{other}"}, "Action": "sts:AssumeRole"})
    arn = new_role(f"e21-{RUN}", trust)
    nobody = new_user(f"e21-{RUN}", {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]})
    return both(denied(lambda: assume(using("sts", nobody), arn)), allowed(lambda: assume(using("sts", other_key), arn)))


@step("enf.22 trust Deny w/ condition")
def _():
    principal = {"AWS": f"arn:aws:iam::{account}:root"}
    trust = document({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"},
                     {"Effect": "Deny", "Principal": principal, "Action": "sts:AssumeRole", "Condition": {"StringEquals": {"sts:RoleSessionName": "bad"}}})
    arn = new_role(f"e22-{RUN}", trust)
    return both(denied(lambda: assume(u_sts, arn, "bad")), allowed(lambda: assume(u_sts, arn, "good")))


@step("enf.30 inactive key refused; tokens survive")
def _():
    name, made, token = fresh("e30")
    taken = assume(using("sts", made))
    iam.update_access_key(UserName=name, AccessKeyId=made["AccessKeyId"], Status="Inactive")
    return both(refused(lists(made), "InvalidAccessKeyId"), refused(lambda: using("sts", made).get_caller_identity(), "InvalidClientTokenId"),
                allowed(lists(token)), allowed(lists(taken)))


@step("enf.31 token expiry enforced")
def _():
    short = u_sts.get_session_token(DurationSeconds=900)["Credentials"]
    before = allowed(lists(short))
    if CLOCK == "-":
        time.sleep(910)
    else:
        advance("+910s")
    return both(before, refused(lists(short), "ExpiredToken"), refused(lambda: using("sts", short).get_caller_identity(), "ExpiredToken"))


@step("enf.32 deleted key refused")
def _():
    name, made, _token = fresh("e32")
    iam.delete_access_key(UserName=name, AccessKeyId=made["AccessKeyId"])
    return refused(lists(made), "InvalidAccessKeyId")


@step("enf.33 role deleted -> token denied")
def _():
    arn = new_role(f"e33-{RUN}")
    taken = assume(u_sts, arn)
    iam.delete_role_policy(RoleName=f"e33-{RUN}", PolicyName="all")
    iam.delete_role(RoleName=f"e33-{RUN}")
    return denied(lists(taken))


passed = sum(result == "ok" for _, result in results)
print(f"{passed} of {len(results)} checks passed")
sys.exit(0 if passed == len(results) == 85 else 1)
