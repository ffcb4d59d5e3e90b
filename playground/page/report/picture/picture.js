/** The picture of a report. */

import { meshesOf } from '../meshes.js';
import { drawn } from './draw.js';
import { layoutOf } from './layout.js';
import { modelOf } from './model.js';

/**
 * Namespaces as boxes, meshes as letters and colours, Pods as dots, Workloads as groups.
 * @param {object} report
 * @param {{width?: number}} [size] how wide it may be, in CSS pixels
 * @returns {SVGSVGElement}
 */
export function picture(report, { width = 720 } = {}) {
  const model = modelOf(report, meshesOf(report));
  return drawn(layoutOf(model, width), model);
}
