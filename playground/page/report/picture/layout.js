/** Where everything in the picture stands: numbers alone, the same for the same model and width. */

import { LIMITS } from './model.js';

export const SIZES = {
  gap: 16,
  pad: 12,
  title: 44,
  group: 24,
  line: 20,
  pitch: 14,
  dot: 5,
  chip: 18,
  gutter: 26,
};

const NARROWEST = 248;
const WIDEST = 380;

/** As how many dots "+N" is wide. */
const MORE = 4;

/**
 * @param {object} model as of `modelOf`
 * @param {number} width at most; a picture is never narrower than one box
 * @returns {{width: number, height: number, boxes: object[]}}
 */
export function layoutOf(model, width) {
  const { gap } = SIZES;
  const fit = Math.max(1, Math.floor((width + gap) / (NARROWEST + gap)));
  const columns = Math.max(1, Math.min(fit, model.boxes.length));
  const boxWidth = Math.max(NARROWEST, Math.min(WIDEST, Math.floor((width - gap * (columns - 1)) / columns)));
  const limit = dotLimit(model);
  const bottoms = new Array(columns).fill(0);
  const boxes = model.boxes.map((box) => {
    const column = bottoms.indexOf(Math.min(...bottoms));
    const inside = placedBox(box, boxWidth, limit);
    const at = { x: column * (boxWidth + gap), y: bottoms[column] };
    bottoms[column] += inside.height + gap;
    return { ...at, inside };
  });
  const height = Math.max(0, Math.max(...bottoms) - gap);
  return { width: columns * (boxWidth + gap) - gap, height, boxes };
}

/** Dots for each line: fewer, where there are many lines. */
function dotLimit({ boxes }) {
  const lines = boxes.flatMap((box) => box.groups.flatMap((group) => group.lines)).length;
  return Math.max(6, Math.min(LIMITS.dots, Math.floor(LIMITS.allDots / Math.max(1, lines))));
}

/** A box, from its own corner on, so that one that only moves is the same. */
function placedBox(box, width, limit) {
  const { pad, title, gutter } = SIZES;
  const arrows = box.groups.some((group) => group.lines.some((line) => line.moves));
  const groupWidth = width - 2 * pad - (arrows ? gutter : 0);
  let bottom = title;
  const groups = box.groups.map((group) => {
    const placed = placedGroup(group, pad, bottom, groupWidth, limit);
    bottom += placed.height + 8;
    return placed;
  });
  if (box.more) bottom += 18;
  return { ...box, width, height: bottom + 4, groups, arrows };
}

function placedGroup(group, x, y, width, limit) {
  const { group: head, chip, pitch, line: lineHeight } = SIZES;
  const first = x + 8 + chip + 6;
  const perRow = Math.max(1, Math.floor((x + width - 8 - first) / pitch));
  let bottom = y + head;
  const lines = group.lines.map((line) => {
    const dots = placedDots(line, first, bottom, perRow, limit);
    const rows = Math.max(1, dots.rows);
    const placed = { ...line, x: x + 8, y: bottom, dots: dots.kinds, left: dots.left, end: dots.end };
    bottom += Math.max(lineHeight, rows * pitch + 6);
    return placed;
  });
  if (group.more) bottom += 16;
  return { ...group, x, y, width, height: bottom - y + 4, lines };
}

function placedDots(line, first, top, perRow, limit) {
  const { pitch, line: lineHeight } = SIZES;
  const at = (index) => ({
    x: first + (index % perRow) * pitch + pitch / 2,
    y: top + lineHeight / 2 + Math.floor(index / perRow) * pitch,
  });
  let length = 0;
  const kinds = line.dots.map(({ count, ...kind }) => {
    const drawn = Math.min(count, limit - length);
    const points = Array.from({ length: drawn }, (_, index) => at(length + index));
    length += drawn;
    return { ...kind, points };
  });
  const left = line.total - length;
  // "+N" is as wide as some dots, and begins a row of its own where there is no room for them.
  const room = perRow - (length % perRow);
  const end = left > 0 && room < MORE ? length + room : length;
  return { kinds, rows: Math.ceil((end + (left > 0 ? MORE : 0)) / perRow), left, end: at(end) };
}
