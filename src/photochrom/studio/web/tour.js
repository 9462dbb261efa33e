// The tour, and the switch between dark and light.
window.photochrom = window.photochrom || {};

photochrom.shade = function () {
  const dark = document.body.classList.toggle("dark");
  localStorage.setItem("photochrom-shade", dark ? "dark" : "light");
};
