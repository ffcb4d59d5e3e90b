/** Elements, made without ever parsing HTML. */

import { shownName } from './text.js';

const SVG = 'http://www.w3.org/2000/svg';

/**
 * An HTML element.
 * @param {string} tag
 * @param {Record<string, unknown>} [attributes] `onclick` and the like are listeners; null and false are left out
 * @param {...(Node | string | null | false | Array)} children
 * @returns {HTMLElement}
 */
export function h(tag, attributes, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** The same for SVG. */
export function s(tag, attributes, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === 'function') element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? '' : value);
  }
  element.append(
    ...children.flat(2).filter((child) => child !== null && child !== undefined && child !== false),
  );
  return element;
}

/**
 * A name: it may be of any script, and hold anything.
 * @param {string} name
 * @returns {HTMLElement}
 */
export function named(name) {
  return h('bdi', { class: 'report-name' }, shownName(name));
}

/** Text that only screen readers tell. */
export function hidden(text) {
  return h('span', { class: 'report-hidden' }, text);
}

/** Text beside what matters. */
export function quiet(...children) {
  return h('span', { class: 'report-quiet' }, ...children);
}
