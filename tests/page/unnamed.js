// SPDX-License-Identifier: Apache-2.0
// Controls and regions without a name that a screen reader could say, and ids that stand twice.
(() => {
  const named = (each) => each.labels?.length || each.getAttribute("aria-label") || each.getAttribute("aria-labelledby") ||
    (each.tagName === "BUTTON" && each.textContent.trim());
  const all = document.querySelectorAll("input, select, textarea, button, section, article, [role=grid], [role=region]");
  const ids = [...document.querySelectorAll("[id]")].map((each) => each.id);
  return [
    ...[...all].filter((each) => !named(each)).map((each) => each.outerHTML.slice(0, 100)),
    ...ids.filter((id, place) => ids.indexOf(id) !== place),
  ];
})()
