/** The plan's report on a page: drawn, as Markdown, and as a picture. */

export { markdown } from './markdown.js';
export { picture } from './picture/picture.js';
export { ReportView } from './view.js';
