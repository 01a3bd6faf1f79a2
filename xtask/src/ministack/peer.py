"""Plays a theft of credentials in an emulator of AWS, holds what was stolen, and says what each still opens.

    python peer.py URL ROOT_KEY_ID ROOT_SECRET ACCOUNT

Reads one JSON object a line, answers each with one line: {"answer": …} or {"error": …}. Secrets stay in this process,
but for `credentials`, by which the program is given somebody to act as. Must not know what a plan is.
"""

import base64
import json
import secrets
import sys
import time
from datetime import datetime, timezone

import botocore.session
from botocore.config import Config
from botocore.exceptions import ClientError

URL, ROOT, SECRET, ACCOUNT = sys.argv[1:5]
ISSUER = "tokens.example.net"
THIEF = "from 198.51.100.23"
SESSION = botocore.session.get_session()
CONFIG = Config(retries={"max_attempts": 0}, parameter_validation=False, s3={"addressing_style": "path"})

held = {"root": {"AccessKeyId": ROOT, "SecretAccessKey": SECRET}}
clients, lines, ids = {}, [], {}


def document(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def arn(rest):
    return f"arn:aws:iam::{ACCOUNT}:{rest}"


ALL = document({"Effect": "Allow", "Action": "*", "Resource": "*"})
DATA = document({"Effect": "Allow", "Action": ["*"], "Resource": ["*"]})


def trust(kind, principal, action="sts:AssumeRole"):
    return document({"Effect": "Allow", "Principal": {kind: principal}, "Action": action})


def client(name, service):
    if (name, service) not in clients:
        as_ = held[name]
        clients[name, service] = SESSION.create_client(
            service, region_name="us-east-1", endpoint_url=URL, config=CONFIG, aws_access_key_id=as_["AccessKeyId"],
            aws_secret_access_key=as_["SecretAccessKey"], aws_session_token=as_.get("SessionToken"))
    return clients[name, service]


def call(name, service, action, **parameters):
    answer = client(name, service)._make_api_call(action, parameters)
    answer.pop("ResponseMetadata", None)
    return answer


def told(line):
    """A line of the story, at the time of this second."""
    at = datetime.now(timezone.utc)
    day = f"day {at:%Y-%m-%d}"
    if day not in lines:
        lines.append(day)
    lines.append(f"{at:%H:%M:%S} {line}")


def hold(label, credentials):
    held[label] = credentials
    ids[f"key {label}"] = credentials["AccessKeyId"]
    for service in {service for name, service in clients if name == label}:
        del clients[label, service]


def act(line, name, service, action, **parameters):
    """Does what a line of the story says; the credential behind `->` is held under its name."""
    told(line)
    answer = call(name, service, action, **parameters)
    words = line.split()
    if "->" in words:
        hold(words[words.index("->") + 1], answer.get("Credentials") or answer.get("AccessKey"))
    return answer


def user(name, key):
    made = call("root", "iam", "CreateUser", UserName=name)["User"]
    ids[f"user {name}"] = made["UserId"]
    call("root", "iam", "PutUserPolicy", UserName=name, PolicyName="all", PolicyDocument=ALL)
    hold(key, call("root", "iam", "CreateAccessKey", UserName=name)["AccessKey"])
    lines.append(f"user {name} in shop key {key} from 192.0.2.{len(held)}")


def role(name, principal, kind="AWS"):
    made = call("root", "iam", "CreateRole", RoleName=name, AssumeRolePolicyDocument=trust(kind, principal),
                MaxSessionDuration=43200)["Role"]
    ids[f"role {name}"] = made["RoleId"]
    lines.append(f"role {name} in shop max 12h")


def cast():
    """Who and what is there before the theft."""
    told("")
    lines[-1:] = ["region us-east-1", f"account {ACCOUNT} as shop", "bucket customer-data in shop"]
    for name, key in (("alice", "A"), ("bob", "BOB"), ("olivia", "OLIVIA")):
        user(name, key)
    for name in ("customer-data-admin", "backup-reader"):
        role(name, arn("root"))
    policy = call("root", "iam", "CreatePolicy", PolicyName="data-admin", PolicyDocument=DATA)["Policy"]["Arn"]
    call("root", "iam", "AttachRolePolicy", RoleName="customer-data-admin", PolicyArn=policy)
    call("root", "iam", "PutRolePolicy", RoleName="backup-reader", PolicyName="all", PolicyDocument=ALL)
    role("pipeline", arn("oidc-provider/ci.example.com"), "Federated")
    call("root", "iam", "PutRolePolicy", RoleName="pipeline", PolicyName="all", PolicyDocument=ALL)
    call("root", "s3", "CreateBucket", Bucket="customer-data")
    call("root", "s3", "PutObject", Bucket="customer-data", Key="ledger.csv", Body=b"1,2,3\n")


def assume(who, name, session, label, hours=1, role="customer-data-admin"):
    act(f"{who} AssumeRole {role} as {session} -> {label} for {hours}h", name, "sts", "AssumeRole",
        RoleArn=arn(f"role/{role}"), RoleSessionName=session, DurationSeconds=hours * 3600)


def token_of(issuer):
    """A token that names its issuer; the emulator does not look at the signature."""
    part = lambda value: base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")
    claims = {"iss": f"https://{issuer}", "sub": "anybody", "aud": "sts.amazonaws.com", "exp": int(time.time()) + 3600}
    return f"{part({'alg': 'RS256', 'typ': 'JWT'})}.{part(claims)}.c2lnbmF0dXJl"


def web_identity():
    return call("root", "sts", "AssumeRoleWithWebIdentity", RoleArn=arn("role/ci-sync"), RoleSessionName="nobody",
                WebIdentityToken=token_of(ISSUER))


def device(who, user_name, device_name):
    made = act(f"{who} CreateVirtualMFADevice {device_name}", who, "iam", "CreateVirtualMFADevice",
               VirtualMFADeviceName=device_name)["VirtualMFADevice"]
    act(f"{who} EnableMFADevice {user_name} mfa {device_name}", who, "iam", "EnableMFADevice", UserName=user_name,
        SerialNumber=made["SerialNumber"], AuthenticationCode1="123456", AuthenticationCode2="654321")


def theft():
    """Key A and what is made from it; bob works on, in sessions of the same roles."""
    assume("bob BOB", "BOB", "bob", "Y")
    act("Y ListBuckets", "Y", "s3", "ListBuckets")
    assume("bob BOB", "BOB", "bob", "Z", role="backup-reader")
    act("Z ListBuckets", "Z", "s3", "ListBuckets")
    act(f"A GetCallerIdentity {THIEF}", "A", "sts", "GetCallerIdentity")
    act("A ListUsers", "A", "iam", "ListUsers")
    act("A GetSessionToken -> B for 36h", "A", "sts", "GetSessionToken", DurationSeconds=129600)
    act("A GetFederationToken helper policy arn:aws:iam::aws:policy/AdministratorAccess -> F", "A", "sts",
        "GetFederationToken", Name="helper", Policy=ALL)
    act("F ListBuckets", "F", "s3", "ListBuckets")
    assume("B", "B", "report", "C")
    act("C GetObject s3://customer-data/ledger.csv", "C", "s3", "GetObject", Bucket="customer-data", Key="ledger.csv")
    assume("C", "C", "report", "X", role="backup-reader")
    act("X ListBuckets", "X", "s3", "ListBuckets")
    assume("B", "B", "report-2", "D")
    made = act("D CreateUser svc-backup", "D", "iam", "CreateUser", UserName="svc-backup")["User"]
    ids["user svc-backup"] = made["UserId"]
    act("D PutUserPolicy svc-backup Maintenance policy allow", "D", "iam", "PutUserPolicy", UserName="svc-backup",
        PolicyName="Maintenance", PolicyDocument=ALL)
    act("D CreateAccessKey svc-backup -> SPARE", "D", "iam", "CreateAccessKey", UserName="svc-backup")
    act("D CreateLoginProfile svc-backup", "D", "iam", "CreateLoginProfile", UserName="svc-backup",
        Password=secrets.token_urlsafe(24))
    device("D", "svc-backup", "svc-backup-phone")
    act(f"D CreateOpenIDConnectProvider https://{ISSUER}", "D", "iam", "CreateOpenIDConnectProvider",
        Url=f"https://{ISSUER}", ClientIDList=["sts.amazonaws.com"])
    provider = arn(f"oidc-provider/{ISSUER}")
    made = act(f"D CreateRole ci-sync trust {provider}", "D", "iam", "CreateRole", RoleName="ci-sync",
               AssumeRolePolicyDocument=trust("Federated", provider, "sts:AssumeRoleWithWebIdentity"))["Role"]
    ids["role ci-sync"] = made["RoleId"]
    act("D PutRolePolicy ci-sync Maintenance policy allow", "D", "iam", "PutRolePolicy", RoleName="ci-sync",
        PolicyName="Maintenance", PolicyDocument=ALL)
    told(f"idp {ISSUER} AssumeRoleWithWebIdentity ci-sync as nobody -> W subject anybody")
    hold("W", web_identity()["Credentials"])
    act("W ListBuckets", "W", "s3", "ListBuckets")
    act("SPARE GetSessionToken -> E for 12h", "SPARE", "sts", "GetSessionToken", DurationSeconds=43200)
    act("E ListBuckets", "E", "s3", "ListBuckets")


# What each credential is asked to do, and how the answer is named.
MATRIX = [
    ("s3", "ListBuckets", {}),
    ("iam", "ListUsers", {}),
    ("iam", "CreateAccessKey", {"UserName": "not-there"}),
    ("sts", "GetCallerIdentity", {}),
    ("sts", "AssumeRole", {"RoleArn": arn("role/customer-data-admin"), "RoleSessionName": "asked"}),
    ("sts", "GetSessionToken", {}),
    ("sts", "GetFederationToken", {"Name": "asked"}),
    ("ec2", "DescribeInstances", {}),
    ("dynamodb", "ListTables", {}),
    ("sqs", "ListQueues", {}),
    ("lambda", "ListFunctions", {}),
    ("secretsmanager", "ListSecrets", {}),
]


def said(action):
    """`OK`, or the code, the status, and whether the words say that a policy denies it explicitly."""
    try:
        action()
        return "OK"
    except ClientError as error:
        of = error.response["Error"]
        explicit = " explicit" if "explicit deny" in of.get("Message", "") else ""
        return f"{of['Code']}/{error.response['ResponseMetadata']['HTTPStatusCode']}{explicit}"


def matrix(names):
    """What each credential is told, service by service."""
    rows = {}
    for name in names:
        rows[name] = {f"{service}:{action}": said(lambda: call(name, service, action, **parameters))
                      for service, action, parameters in MATRIX}
    return rows


def plain(value):
    """An answer as the AWS CLI prints it: times as text."""
    return json.loads(json.dumps(value, default=lambda other: other.isoformat()))


def ordered(value):
    """The same without the order of lists, by which nothing is meant."""
    if isinstance(value, dict):
        return {name: ordered(value[name]) for name in sorted(value)}
    if isinstance(value, list):
        return sorted(map(ordered, value), key=lambda item: json.dumps(item, sort_keys=True))
    return value


def state():
    """All that IAM says of the account, but for when a key was last used."""
    root = lambda action, **parameters: call("root", "iam", action, **parameters)
    found = {"details": root("GetAccountAuthorizationDetails"), "virtual": root("ListVirtualMFADevices", AssignmentStatus="Any"),
             "oidc": root("ListOpenIDConnectProviders"), "saml": root("ListSAMLProviders"), "users": {}}
    for one in root("ListUsers")["Users"]:
        name = one["UserName"]
        found["users"][name] = {"keys": root("ListAccessKeys", UserName=name)["AccessKeyMetadata"],
                                "devices": root("ListMFADevices", UserName=name)["MFADevices"],
                                "password": said(lambda: root("GetLoginProfile", UserName=name))}
    return ordered(plain(found))


def attempts():
    """The thief goes on, and bob; what has a valid signature is in the log."""
    for line, name, service, action, parameters in (
            ("B AssumeRole customer-data-admin as report-3", "B", "sts", "AssumeRole",
             {"RoleArn": arn("role/customer-data-admin"), "RoleSessionName": "report-3"}),
            ("C GetObject s3://customer-data/ledger.csv", "C", "s3", "GetObject",
             {"Bucket": "customer-data", "Key": "ledger.csv"}),
            ("D ListUsers", "D", "iam", "ListUsers", {}), ("X ListBuckets", "X", "s3", "ListBuckets", {}),
            ("E ListBuckets", "E", "s3", "ListBuckets", {}), ("W ListBuckets", "W", "s3", "ListBuckets", {}),
            ("F ListBuckets", "F", "s3", "ListBuckets", {}), ("Y ListBuckets", "Y", "s3", "ListBuckets", {})):
        told(line)
        if said(lambda: call(name, service, action, **parameters)) != "OK":
            lines[-1] += " denied"
    return trail()


def trail():
    return {"trail": "\n".join(lines) + "\n", "ids": ids}


def play():
    cast()
    theft()
    return trail()


def do(request):
    """Any call as any credential; documents that are objects are sent as text."""
    parameters = {name: json.dumps(value) if isinstance(value, dict) else value
                  for name, value in request["parameters"].items()}
    return plain(call(request["as"], request["service"], request["action"], **parameters))


ASKED = {
    "play": lambda request: play(),
    "attempts": lambda request: attempts(),
    "matrix": lambda request: matrix(request["names"]),
    "door": lambda request: said(web_identity),
    "state": lambda request: state(),
    "credentials": lambda request: held[request["name"]],
    "call": do,
}

for asked in sys.stdin:
    request = json.loads(asked)
    try:
        reply = {"answer": ASKED[request["ask"]](request)}
    except Exception as error:  # whoever asked is told, whatever it was
        reply = {"error": f"{type(error).__name__}: {error} ({lines[-1] if lines else ''})"}
    print(json.dumps(reply, default=str), flush=True)
