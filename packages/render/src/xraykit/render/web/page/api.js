// Requests to the program behind the page, with the token that the page's address holds.

const token = location.hash.slice(1);
const POLL = 150; // ms between looks at a job

/** Ask /api/name with a JSON body; the Response, or an Error with the server's sentence. `signal` may give it up. */
export async function ask(name, body = {}, signal = undefined) {
  let answer;
  try {
    answer = await fetch(`api/${name}`, { // relative: a proxy may show the page below a path
      method: "POST",
      headers: { "X-Token": token, "Content-Type": "application/json" },
      body: JSON.stringify(body),
      signal,
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error("the program behind this page has ended; start it again.");
  }
  if (answer.status === 403) throw new Error("this address has no valid token; open the one that the terminal shows.");
  if (!answer.ok) throw new Error((await answer.json().catch(() => ({}))).error ?? `the server answered ${answer.status}`);
  return answer;
}

/** Ask for JSON. */
export async function tell(name, body) {
  return (await ask(name, body)).json();
}

/** Follow the job until it ends: show(job, steps so far) at every look. The job as it ended. */
export async function followJob(show) {
  const steps = [];
  let job;
  do {
    await new Promise((done) => setTimeout(done, POLL));
    job = await tell("job", { since: steps.length });
    steps.push(...job.steps);
    show(job, steps);
  } while (job.outcome === "running");
  return job;
}
