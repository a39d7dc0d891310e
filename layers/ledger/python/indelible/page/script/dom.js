// SPDX-License-Identifier: Apache-2.0
// Making elements. Whatever comes from the file is set as text, with characters that would not be seen, or would turn
// the reading direction around, made visible; nothing here takes HTML.

const UNSEEN = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

/** Text as it is meant to be looked at: `⟨U+202E⟩` stands where a right-to-left override was. */
function visible(text) {
  return String(text).replace(UNSEEN, (found) => {
    return `⟨U+${found.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}⟩`;
  });
}

function at(id) {
  return document.getElementById(id);
}

/** An element with attributes (`on` is refused) and children; strings become text. */
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) throw new Error("no handlers in attributes");
    if (value !== null && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  fill(element, ...children);
  return element;
}

function fill(element, ...children) {
  element.replaceChildren(
    ...children
      .flat(3)
      .filter((child) => child !== null && child !== undefined && child !== false)
      .map((child) => (child instanceof Node ? child : visible(child))),
  );
}

/** A value from the file, whose reading direction cannot spill over into what stands beside it. */
function value(text, className = "") {
  return make("bdi", className ? { class: className } : {}, text);
}

/** Text in which what is to be typed is set apart: `indelible verify --tsa-root`. */
function withCommands(text) {
  return text
    .split(/(indelible [a-z-]+(?: --[a-z-]+)?)/)
    .map((part, index) => (index % 2 ? make("code", { class: "command" }, part) : value(part)));
}

function button(label, act, className = "link") {
  const made = make("button", { type: "button", class: className }, label);
  made.addEventListener("click", act);
  return made;
}

/** A description list from [term, content] pairs, those without content left out. */
function terms(pairs) {
  return pairs
    .filter(([, content]) => content !== null && content !== undefined && content !== "")
    .flatMap(([term, content]) => [make("dt", {}, term), make("dd", {}, content)]);
}

const COUNT = new Intl.NumberFormat("en");

function count(number, one, many = `${one}s`) {
  return `${COUNT.format(number)} ${number === 1 ? one : many}`;
}

/** A moment between two pieces of work, in which the browser paints and answers. */
function breath() {
  return new Promise((resolve) => {
    const channel = new MessageChannel();
    channel.port1.onmessage = () => {
      channel.port1.close();
      resolve();
    };
    channel.port2.postMessage(null);
  });
}
