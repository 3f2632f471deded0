export { type CheckOptions, type CheckReport, checkGradients, type Disagreement } from "./checkGradients.js";
export { type Contribution, type ContributionOptions, contributions } from "./contributions.js";
export { type SvgOptions, toSvg } from "./toSvg.js";
