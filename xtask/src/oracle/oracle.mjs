// Answers policy cases (docs/policy-cases.md) with @cloud-copilot/iam-simulate: one JSON object a line in, one out.
// Run by `cargo xtask policy-oracle` as a process of its own; no part of what is shipped.
import { createInterface } from "node:readline";
import { runSimulation, runUnsafeSimulation } from "@cloud-copilot/iam-simulate";

const DECISIONS = { Allowed: "allowed", ExplicitlyDenied: "explicitly_denied", ImplicitlyDenied: "implicitly_denied" };

const named = (documents) => (documents ?? []).map((policy, at) => ({ name: `policy-${at}`, policy }));
const levels = (list) => (list ?? []).map((documents, at) => ({ orgIdentifier: `level-${at}`, policies: named(documents) }));

function simulation(test) {
  const { request } = test;
  const account = request.principal.account ?? request.principal.arn?.split(":")[4];
  return {
    request: {
      principal: request.principal.arn ?? request.principal.service,
      action: request.action,
      resource: { resource: request.resource, accountId: request.resource_account || request.resource.split(":")[4] || account },
      contextVariables: request.context ?? {},
    },
    identityPolicies: named(test.identity),
    permissionBoundaryPolicies: test.boundary && named(test.boundary),
    sessionPolicy: test.session?.[0],
    resourcePolicy: test.resource_policy ?? test.trust_policy,
    serviceControlPolicies: levels(test.scps),
    resourceControlPolicies: levels(test.rcps),
  };
}

// It takes one session policy, needs a principal in ARN form, and answers nothing of keys that are not known.
const beyond = (test) => (test.session?.length ?? 0) > 1 || (test.request.unknown?.length ?? 0) > 0 || !test.request.principal.arn;

// The checked simulation drops context keys that it does not know for the action; the unchecked one knows neither
// session policies nor resource policies. Each case goes to the one that can hold it.
const plain = (test) => !test.session && !test.resource_policy && !test.trust_policy;

async function decide(test) {
  if (plain(test)) return DECISIONS[runUnsafeSimulation(simulation(test), {})];
  const answer = await runSimulation(simulation(test), {});
  if (answer.resultType === "error") console.error(`${test.name}: ${JSON.stringify(answer.errors)}`);
  return DECISIONS[answer.overallResult];
}

for await (const line of createInterface({ input: process.stdin })) {
  const test = JSON.parse(line);
  let decision = "unsupported";
  if (!beyond(test)) {
    try {
      decision = (await decide(test)) ?? "unsupported";
    } catch (error) {
      console.error(`${test.name}: ${error.message}`);
    }
  }
  console.log(JSON.stringify({ name: test.name, decision }));
}
