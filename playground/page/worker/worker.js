/** The worker: the module runs here, so that the page stays alive whatever it is given. */

import * as module from 'virtual:module';
import { answering } from './planner.js';

const answer = answering(module);

addEventListener('message', ({ data }) => postMessage(answer(data)));
