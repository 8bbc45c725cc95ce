import { ask, followJob, tell } from "./api.js";

const $ = (id) => document.getElementById(id);

async function showPicture() {
  const answer = await ask("picture");
  if (answer.status !== 200) return;
  URL.revokeObjectURL($("picture").src);
  $("picture").src = URL.createObjectURL(await answer.blob());
}

function show(job, steps) {
  const last = steps[steps.length - 1];
  $("progress").value = last?.share ?? 0;
  $("status").textContent = job.message || (job.outcome === "running" ? last?.message ?? "preparing" : job.outcome);
  $("cancel").hidden = job.outcome !== "running";
  showPicture();
}

$("cancel").onclick = () => tell("cancel");
$("turn").onclick = async () => {
  try {
    await tell("turn", { views: $("views").valueAsNumber });
    await followJob(show);
  } catch (error) {
    $("status").textContent = error.message;
  }
};
