"use strict";
(() => {
  const form = document.getElementById("filters");
  if (!form) return;
  const claims = [...document.querySelectorAll("details.claim")];
  const selects = [...form.querySelectorAll("select")];
  const words = form.elements.words;
  const told = form.elements.told;
  const texts = claims.map((claim) => claim.textContent.toLowerCase());

  const filter = () => {
    const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
    let left = 0;
    claims.forEach((claim, n) => {
      const chosen = selects.every((each) => each.value === "" || claim.dataset[each.name] === each.value
        || (each.name === "outcome" && each.value.split(" ").includes(claim.dataset.outcome)));
      claim.hidden = !(chosen && wanted.every((word) => texts[n].includes(word)));
      left += claim.hidden ? 0 : 1;
    });
    for (const group of document.querySelectorAll("section.group")) {
      group.hidden = !group.querySelector("details.claim:not([hidden])");
    }
    told.value = `${left} of ${claims.length} claims`;
  };

  const openTarget = () => {
    const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target || !target.matches("details.claim")) return;
    if (target.hidden) {
      form.reset();
      filter();
    }
    target.open = true;
    target.scrollIntoView();
    target.querySelector("summary").focus({ preventScroll: true });
  };

  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(filter));
  const all = (open) => () => claims.filter((claim) => !claim.hidden).forEach((claim) => { claim.open = open; });
  form.elements.open.addEventListener("click", all(true));
  form.elements.close.addEventListener("click", all(false));
  addEventListener("hashchange", openTarget);
  form.hidden = false;
  filter();
  addEventListener("load", openTarget); // the browser's own jump to the address takes the focus away
})();
