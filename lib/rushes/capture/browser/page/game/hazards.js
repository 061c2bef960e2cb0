// The hazard of each environment, and what a zone costs.
//
//   const hazard = makeHazard(plan, heights);    // heights: the boxes of scenery.js, where fire can stand
//   hazard.zoneAt(3, -20, 0);      // "safe", "yellow" or "red"

import { Earthquake } from "./earthquake.js";
import { Tsunami } from "./tsunami.js";
import { Wildfire } from "./wildfire.js";

const HAZARDS = { earthquake: Earthquake, tsunami: Tsunami, wildfire: Wildfire };

/** Health that a second in the red zone costs, points. */
export const RED_COST = { earthquake: 3, tsunami: 3.6, wildfire: 4 };

/** How much faster victims lose health in a zone. */
export const ZONE_FACTOR = { safe: 1, yellow: 1.6, red: 3.2 };

/** Make the hazard of a plan. */
export function makeHazard(plan, heights) {
  return new HAZARDS[plan.environment](plan, heights);
}
