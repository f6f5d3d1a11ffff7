// Browsers start no worker from a file system by its address, but from its text they do. The theme's plugin
// for sites without a server takes a script of this name instead of one from the network.
if (location.protocol === "file:") {
  const source = {{ source }};
  const Native = window.Worker;
  window.Worker = function () {
    return new Native(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
  };
}
