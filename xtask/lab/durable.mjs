// Durable steps of Restate that do nothing: `node durable.mjs ADMIN INGRESS PORT STEPS AT_ONCE` serves them on PORT, has a
// server that is running run them, and prints the microseconds of each run. The SDK is looked for where this runs.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

// What the SDK uses and Node 20 lacks.
Promise.withResolvers ??= () => {
  const made = {};
  made.promise = new Promise((resolve, reject) => Object.assign(made, { resolve, reject }));
  return made;
};
const here = createRequire(process.cwd() + "/");
const restate = await import(pathToFileURL(here.resolve("@restatedev/restate-sdk")).href);
const [admin, ingress, port, steps, atOnce] = process.argv.slice(2).map(Number);

const service = restate.service({
  name: "steps",
  handlers: {
    // In one invocation, so many side by side; its promises are awaited together or not at all.
    fan: async (ctx, { count, atOnce }) => {
      for (let left = count; left > 0; left -= atOnce) {
        const length = Math.min(atOnce, left);
        await restate.RestatePromise.all(Array.from({ length }, () => ctx.run("step", () => null)));
      }
    },
    // One after the other: so many invocations run side by side.
    chain: async (ctx, { count }) => {
      for (let n = 0; n < count; n++) await ctx.run("step", () => null);
    },
  },
});
await restate.serve({ services: [service], port });

const post = async (url, body) => {
  const answer = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(120_000),
  });
  if (!answer.ok) throw new Error(`${url}: ${answer.status} ${await answer.text()}`);
};
await post(`http://127.0.0.1:${admin}/deployments`, { uri: `http://127.0.0.1:${port}` });
const call = (handler, input) => post(`http://127.0.0.1:${ingress}/steps/${handler}`, input);
const each = Math.ceil(steps / atOnce);
const ways = [
  ["one invocation", () => call("fan", { count: steps, atOnce })],
  [`${atOnce} invocations`, () => Promise.all(Array.from({ length: atOnce }, () => call("chain", { count: each })))],
];
for (const [name, run] of ways) {
  await call("chain", { count: 10 });
  const begin = process.hrtime.bigint();
  await run();
  const micros = Number(process.hrtime.bigint() - begin) / 1e3;
  console.log(`Restate, ${name}: ${(micros / steps).toFixed(1)} µs a step, ${Math.round((steps / micros) * 1e6)} a second`);
}
process.exit(0);
