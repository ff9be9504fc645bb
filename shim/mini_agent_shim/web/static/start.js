// Before everything else: a file of the page that does not come is asked for again, with the page.
// Browsers drop what is under way when a network of the machine changes, as it does whenever Docker
// starts a container with one.

addEventListener(
  "error",
  ({ target }) => {
    if (!(target instanceof HTMLScriptElement || target instanceof HTMLLinkElement)) return;
    const tried = Number(sessionStorage.getItem("mini-agent-starts"));
    if (tried >= 10) return;
    sessionStorage.setItem("mini-agent-starts", tried + 1);
    setTimeout(() => location.reload(), 200);
  },
  true,
);
