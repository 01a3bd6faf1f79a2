// Answers policy cases (docs/policy-cases.md) with @cloud-copilot/iam-simulate: one JSON object a line in, one out.
// Run by `cargo xtask policy-oracle` as a process of its own; no part of what is shipped.
import { createInterface } from "node:readline";
import { runSimulation, runUnsafeSimulation } from "@cloud-copilot/iam-simulate";

const DECISIONS = { Allowed: "allowed", ExplicitlyDenied: "explicitly_denied", ImplicitlyDenied: "implicitly_denied" };

const policy = (...Statement) => ({ Version: "2012-10-17", Statement });
const EVERYTHING = policy({ Effect: "Allow", Action: "*", Resource: "*" });
const NOTHING = policy({ Effect: "Allow", Action: "sts:GetCallerIdentity", Resource: "*" });
const TRUSTS_NOBODY = policy({ Effect: "Allow", Principal: { Service: "nobody.amazonaws.com" }, Action: "sts:AssumeRole" });

const statements = (document) => [document.Statement].flat();
const named = (documents) => (documents ?? []).map((policy, at) => ({ name: `policy-${at}`, policy }));
const levels = (list) => (list ?? []).map((documents, at) => ({ orgIdentifier: `level-${at}`, policies: named(documents) }));

function caller({ arn, service, federated }) {
  return arn ?? service ?? federated ?? { type: "Anonymous" };
}

// The root user, and what it federates, needs no policy to be allowed.
function identity({ request, identity }) {
  const root = [request.principal.arn, request.principal.role_arn].some((arn) => arn?.endsWith(":root"));
  return named(root ? [...(identity ?? []), EVERYTHING] : identity);
}

// It takes one session policy; what several allow and deny is what all their statements do. A federated user without
// one has no permissions of its own.
function session({ request, session }) {
  if (!session) return request.principal.arn?.includes(":federated-user/") ? NOTHING : undefined;
  if (session.length === 1) return session[0];
  return { Version: session[0]?.Version, Statement: session.flatMap(statements) };
}

// A role always has a trust policy, and a key a key policy. Where the case has none, nobody is trusted, and the key has
// the default policy, which leaves it to the account.
function resourcePolicy({ request, resource_policy, trust_policy }) {
  if (resource_policy ?? trust_policy) return resource_policy ?? trust_policy;
  const [, partition, service, , account] = request.resource.split(":");
  if (/^sts:assumerole/i.test(request.action)) return TRUSTS_NOBODY;
  return service === "kms" ? policy({ ...EVERYTHING.Statement[0], Principal: { AWS: `arn:${partition}:iam::${account}:root` } }) : undefined;
}

// What every level of resource control policies has, and it adds by itself.
const isFull = (document) => statements(document).every((one) => one.Effect === "Allow" && one.Action === "*" && one.Resource === "*");

// Keys that are not known are left out: where the answer does not depend on them, it is that of a request without.
function simulation(test) {
  const { request } = test;
  const account = request.principal.account ?? request.principal.arn?.split(":")[4];
  return {
    request: {
      principal: caller(request.principal),
      action: request.action,
      resource: { resource: request.resource, accountId: request.resource_account || request.resource.split(":")[4] || account },
      contextVariables: request.context ?? {},
    },
    identityPolicies: identity(test),
    permissionBoundaryPolicies: test.boundary && named(test.boundary),
    sessionPolicy: session(test),
    resourcePolicy: resourcePolicy(test),
    serviceControlPolicies: levels(test.scps),
    resourceControlPolicies: levels(test.rcps),
  };
}

// The unchecked simulation knows neither session policies nor resource policies, nor which actions have no resource.
const isPlain = ({ request, sessionPolicy, resourcePolicy }) =>
  !sessionPolicy && !resourcePolicy && request.resource.resource !== "*" && typeof request.principal === "string";

function refused(test, why) {
  console.error(`${test.name}: ${why}`);
  return "unsupported";
}

const oneVersion = (documents) => new Set((documents ?? []).map((document) => document.Version)).size <= 1;

// The checked simulation refuses some cases, adds the full resource control policy to each level, drops context keys
// that it does not know for the action, and of several values of a key keeps one if it takes the key for single-valued.
async function decide(test) {
  const asked = simulation(test);
  if (isPlain(asked)) return DECISIONS[runUnsafeSimulation(asked, {})];
  if (!oneVersion(test.session)) return refused(test, "session policies of two versions");
  if (!(test.rcps ?? []).every((level) => level.some(isFull))) return refused(test, "a level without the full policy");
  asked.resourceControlPolicies = levels(test.rcps?.map((level) => level.filter((document) => !isFull(document))));
  const answer = await runSimulation(asked, {});
  if (answer.resultType === "error") return refused(test, JSON.stringify(answer.errors));
  const ignored = answer.result?.ignoredContextKeys ?? [];
  return ignored.length > 0 ? refused(test, `it drops ${ignored}`) : DECISIONS[answer.overallResult];
}

for await (const line of createInterface({ input: process.stdin })) {
  const test = JSON.parse(line);
  let decision = "unsupported";
  try {
    decision = (await decide(test)) ?? decision;
  } catch (error) {
    console.error(`${test.name}: ${error.message}`);
  }
  console.log(JSON.stringify({ name: test.name, decision }));
}
