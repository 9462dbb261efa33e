// The tour, and the switch between dark and light.
window.photochrom = window.photochrom || {};

photochrom.shade = function () {
  const dark = document.body.classList.toggle("dark");
  localStorage.setItem("photochrom-shade", dark ? "dark" : "light");
};

photochrom.fetch_file = function (address) {
  if (!address) return;
  const link = document.createElement("a");
  link.href = address;
  link.download = "";
  document.body.append(link);
  link.click();
  link.remove();
};
