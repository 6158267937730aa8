// How strongly the image shows below the maps. The page is complete without.
const blend = document.querySelector(".blend");
const strength = blend.querySelector("input");
const show = () => document.querySelector(".deciding").style.setProperty("--under", strength.value / 100);
strength.addEventListener("input", show);
blend.hidden = false;
show();
