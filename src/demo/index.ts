export { demoVerb } from './demo.js';
