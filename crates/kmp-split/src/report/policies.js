// Shows the policy files, and leads from a text to the rule that it names.

// The text, with a link where it names a line of a policy file.
function withRule(text) {
  for (const { file } of data.policies) {
    const at = text.indexOf(`${file}:`);
    const line = at < 0 ? null : /^[0-9]+/.exec(text.slice(at + file.length + 1));
    if (!line || (at > 0 && text[at - 1] !== " ")) continue;
    const shown = `${file}:${line[0]}`;
    const rule = link(shown, { policy: file, line: line[0] });
    return [text.slice(0, at), rule, text.slice(at + shown.length)];
  }
  return [text];
}

function policyView(state) {
  const one = data.policies.find((policy) => policy.file === state.get("policy"));
  if (!one) return [heading("Policy"), note(`There is no policy file ${state.get("policy")}.`)];
  const chosen = Number(state.get("line"));
  const rows = one.text.replace(/\n$/, "").split("\n").map((text, index) => {
    const number = element("td", { class: "number" }, String(index + 1));
    const marked = index + 1 === chosen ? { class: "chosen" } : {};
    return element("tr", marked, number, element("td", {}, element("code", {}, text)));
  });
  const body = element("tbody", {}, ...rows);
  const made = element("table", { class: "source" }, body);
  const frame = element("section", {}, element("div", { class: "scroll" }, made));
  return [heading(one.file, element("small", {}, "policy file")), frame];
}
