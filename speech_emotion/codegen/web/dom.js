"use strict";
// What all parts of the page use: elements, words for figures, the labels' colours.

const element = (id) => document.getElementById(id);

function create(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

/** Lets the page answer the person; unlike a timer also quick where the page is not in sight. */
function breathe() {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}

const percent = (share) => `${(100 * share).toFixed(1)} %`;

/** For sentences: whole per cents, without claiming to be quite sure. */
function roundly(share) {
  const whole = Math.round(100 * share);
  return whole >= 100 ? "more than 99 %" : whole < 1 ? "less than 1 %" : `${whole} %`;
}

/** Three digits that count. */
function figure(value) {
  return Math.abs(value) >= 1e5 ? value.toExponential(2) : String(Number(value.toPrecision(3)));
}

const DASHES = [[], [6, 3], [2, 2]];

/** Colour and dashes of a label: the board's colour (colours.py); of the user's own labels hues far from one
 * another. */
function lineStyle(labels, place) {
  const own = labels.filter((label) => !Object.hasOwn(MODEL.colours, label));
  const at = own.indexOf(labels[place]);
  return at < 0
    ? { colour: MODEL.colours[labels[place]], dash: [] }
    : { colour: `hsl(${(30 + 137.5 * at) % 360} 45% 50%)`, dash: DASHES[Math.floor(at / 8) % DASHES.length] };
}
