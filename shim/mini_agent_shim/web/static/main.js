// The beginning: which view the address names, and what is on every view.

import { whoSignsIn } from "./api.js";
import { ask } from "./asking.js";
import { announce } from "./dom.js";
import { keepHealth } from "./health.js";
import { showList } from "./list.js";
import { showRun } from "./run.js";
import { signIn } from "./signin.js";

const RUN = /^#\/runs\/([0-9a-f]{32})$/;
const main = document.getElementById("main");
let leaving = new AbortController();

function show() {
  leaving.abort();
  leaving = new AbortController();
  const run = RUN.exec(location.hash);
  scrollTo(0, 0);
  announce("");
  if (run) showRun(main, run[1], leaving.signal);
  else showList(main, leaving.signal);
}

sessionStorage.removeItem("mini-agent-starts");
whoSignsIn(signIn);
addEventListener("hashchange", show);
document.getElementById("new").addEventListener("click", () => ask());
document.getElementById("skip").addEventListener("click", (happened) => {
  // The address names the view, so it is no place to jump within one.
  happened.preventDefault();
  main.focus();
});
show();
keepHealth(document.getElementById("health"));
