// Numbers, times and ends of runs in words.

const ENDS = {
  tool_calls: () => "It waits for a tool of its caller.",
  max_iterations: (max) => `It used all ${max ?? "its"} turns.`,
  budget: (_, s) => `Its time was up${s ? ` (${duration(s)})` : ""}.`,
  stagnation: () => "It repeated itself and was getting nowhere.",
};
const SOURCES = {
  tool_output: " The answer is the last useful output of a tool: the model had no words for it.",
  notice: " The model gave no answer; the words below are the loop's.",
};
const STATES = {
  queued: "Waiting for a place.",
  running: "",
  cancelled: "It was stopped. What had happened until then is below.",
  interrupted: "The shim stopped in the middle of it. What had happened until then is below.",
};
const STATUSES = {
  timeout: "time limit reached",
  oom: "memory limit reached",
  output_limit: "output limit reached",
  killed: "killed",
  compile_error: "does not compile",
};

/** 0.4 s, 12 s, 3 min 20 s, 2 h 5 min. */
export function duration(seconds) {
  const s = Math.max(0, seconds);
  if (s < 0.0095) return `${(s * 1000).toFixed(1).replace(".0", "")} ms`;
  if (s < 0.95) return `${Math.round(s * 1000)} ms`;
  if (s < 9.95) return `${s.toFixed(1).replace(".0", "")} s`;
  if (s < 59.5) return `${Math.round(s)} s`;
  const whole = Math.round(s);
  if (whole < 3600) return `${Math.floor(whole / 60)} min${whole % 60 ? ` ${whole % 60} s` : ""}`;
  const minutes = Math.round(whole / 60);
  return `${Math.floor(minutes / 60)} h${minutes % 60 ? ` ${minutes % 60} min` : ""}`;
}

/** 812 B, 1.4 kB, 10.0 MB. */
export function bytes(count) {
  if (count < 1000) return `${count} B`;
  return count < 1e6 ? `${(count / 1e3).toFixed(1)} kB` : `${(count / 1e6).toFixed(1)} MB`;
}

/** 1 234 with the separators of the reader's language. */
export function number(count) {
  return count.toLocaleString();
}

/** "1 turn", "3 turns". */
export function counted(count, thing) {
  return `${number(count)} ${thing}${count === 1 ? "" : "s"}`;
}

/** Dollars, as exactly as small amounts need. */
export function money(dollars) {
  if (!dollars) return "none known";
  return dollars < 0.01 ? `$${dollars.toPrecision(2)}` : `$${dollars.toFixed(2)}`;
}

/** When, for a list: the time today, else the day with it. */
export function moment(unix) {
  const at = new Date(unix * 1000);
  const time = at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" });
  if (at.toDateString() === new Date().toDateString()) return time;
  return `${at.toLocaleDateString([], { month: "short", day: "numeric" })}, ${time}`;
}

/** Why a run stopped, as a person would say it. `run` has state, reason, source, error and limits. */
export function whyStopped(run) {
  if (run.state in STATES) return STATES[run.state];
  if (run.state === "failed") return `It failed: ${run.error || "for a reason nobody knows"}`;
  const end = ENDS[run.reason]?.(run.maxTurns, run.maxSeconds);
  return (end ?? "The model gave its answer.") + (SOURCES[run.source] ?? "");
}

/** How a call ended: "exit code 1", "time limit reached". */
export function howItEnded(call) {
  const status = STATUSES[call.execution?.status];
  if (status) return status;
  if (call.rc === null || call.rc === undefined) return call.ok ? "done" : "did not run";
  return `exit code ${call.rc}`;
}
