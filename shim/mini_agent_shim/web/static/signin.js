// Asks for the token, which stays in this tab.

import { el } from "./dom.js";

/** Resolves to a token; it is asked for until there is one. `wasWrong`: there was one already. */
export function signIn(wasWrong) {
  return new Promise((resolve) => {
    const token = el("input", {
      id: "token",
      type: "password",
      autocomplete: "off",
      required: true,
      pattern: "[!-~]+",
      title: "letters, digits and signs, without spaces",
    });
    const why = wasWrong
      ? "This token is wrong, or no longer valid."
      : "This shim asks for a token: MINI_AGENT_SHIM_TOKEN, or one of its named tokens.";
    const form = el(
      "form",
      {},
      el("p", { role: wasWrong ? "alert" : undefined, class: wasWrong ? "trouble" : undefined }, why),
      el("p", { class: "field" }, el("label", { for: "token" }, "Token"), token),
      el("p", { class: "soft" }, "It is kept in this tab until it is closed, and sent to this shim alone."),
      el("div", { class: "actions" }, el("button", { type: "submit", class: "primary" }, "Sign in")),
    );
    const title = el("h2", { id: "signin-title" }, "Sign in");
    const shown = el("dialog", { class: "asking", "aria-labelledby": "signin-title" }, title, form);
    form.addEventListener("submit", (happened) => {
      happened.preventDefault();
      shown.close(token.value.trim());
    });
    shown.addEventListener("close", () => {
      shown.remove();
      // There is nothing behind it to go back to.
      resolve(shown.returnValue || signIn(wasWrong));
    });
    document.body.append(shown);
    shown.showModal();
    token.focus();
  });
}
