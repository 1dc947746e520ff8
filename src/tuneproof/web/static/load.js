// Shows the result of the job that the page has begun.
import { follow, say, showFault } from "./core.js";

for (const place of document.querySelectorAll("[data-job]")) {
  follow(place.dataset.job, place, say("working")).catch((error) => showFault(place, error));
}
