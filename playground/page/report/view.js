/** The report as a whole. */

import { h } from './dom.js';
import { Explanation } from './explain.js';
import { Filter } from './filter.js';
import { findingsOf, findingsSection } from './findings.js';
import { keepingFocus } from './focus.js';
import { meshesOf } from './meshes.js';
import { Parts } from './parts.js';
import { Figure } from './picture/figure.js';
import { podsSection } from './pods.js';
import { setText } from './section.js';
import {
  namespacesSection,
  skippedSection,
  universalDataplanesSection,
  universalWorkloadsSection,
  workloadsSection,
} from './tables.js';
import { counted, grouped, summaryText } from './text.js';
import { Walks } from './why.js';

const DOCS = 'https://kuma-workload.github.io/kuma-workload/';

/** Draws a report into an element, and draws it again with as little as has changed. */
export class ReportView {
  #element;
  #parts;
  #walks;
  #sections;
  #filter = new Filter(() => this.#draw());
  #figure = new Figure();
  #summary = h('p', { class: 'report-summary', role: 'status' });
  #scope = h('p', { class: 'report-scope' });
  #found = h('p', { class: 'report-found', role: 'status' });
  #meshes = new Map();
  #report;

  /**
   * @param {Element} element what is in it is replaced
   * @param {object} calls
   * @param {(name: string) => Promise<object>} calls.explain what a rule or a code means
   * @param {() => Promise<object>} calls.why the report with the walks
   * @param {(place: {file: string, line: number, column: number}) => void} calls.open jumps to a place
   * @param {string} [calls.docs] the documentation's address
   */
  constructor(element, { explain, why, open, docs = DOCS }) {
    const explanation = new Explanation(explain, docs);
    this.#element = element;
    this.#parts = new Parts(open, (name) => explanation.open(name));
    this.#walks = new Walks(why, this.#parts);
    const mesh = (name) => this.#meshes.get(name) ?? { name, letter: '?', colour: 0 };
    const disclosure = (key) => this.#walks.disclosure(key);
    this.#sections = {
      findings: findingsSection(this.#parts),
      namespaces: namespacesSection(mesh),
      workloads: workloadsSection(this.#parts, mesh),
      pods: podsSection(this.#parts, mesh, disclosure),
      dataplanes: universalDataplanesSection(this.#parts, mesh),
      universal: universalWorkloadsSection(mesh),
      skipped: skippedSection(),
    };
    const { findings, ...tables } = this.#sections;
    element.classList.add('report');
    element.replaceChildren(
      h('div', { class: 'report-head' }, this.#summary, this.#scope),
      this.#filter.element,
      this.#found,
      findings.element,
      this.#figure.element,
      ...Object.values(tables).map((section) => section.element),
      explanation.element,
    );
  }

  /**
   * Draws a report.
   * @param {object} report
   * @param {{names?: string[]}} [documents] the documents that can be jumped to; all, if nobody says
   */
  show(report, { names } = {}) {
    this.#report = report;
    this.#parts.documents(names);
    this.#meshes = meshesOf(report);
    this.#draw();
    this.#figure.show(report, this.#meshes);
    this.#walks.changed();
  }

  #draw() {
    if (this.#report) keepingFocus(this.#element, () => this.#drawAll(this.#report));
  }

  #drawAll(report) {
    const { objects, skipped } = report.summary;
    setText(this.#summary, summaryText(report.summary));
    const skips = skipped ? `, ${grouped(skipped)} skipped` : '';
    setText(this.#scope, `${counted(objects, 'object')} read${skips}; mode ${report.mode}`);
    const { byText, bySeverity } = this.#filter;
    const { findings, namespaces, workloads, pods, dataplanes, universal, skipped: kinds } = this.#sections;
    const places = this.#parts.context;
    const context = JSON.stringify([...this.#meshes.keys()]) + places;
    const found = findings.show(findingsOf(report), bySeverity, places);
    namespaces.show(report.namespaces, byText, context);
    workloads.show(report.workloads, byText, context);
    const foundPods = pods.show(report.pods, bySeverity, context);
    dataplanes.show(report.universal?.dataplanes ?? [], byText, context);
    universal.show(report.universal?.workloads ?? [], byText, context);
    kinds.show(report.skippedKinds, byText);
    const kept = `${counted(found, 'finding')} and ${counted(foundPods, 'Pod')} found`;
    setText(this.#found, bySeverity ? kept : '');
  }
}
