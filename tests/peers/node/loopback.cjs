// Loaded before a server that would listen on every interface: it listens on loopback only.
const net = require("node:net");
const listen = net.Server.prototype.listen;
net.Server.prototype.listen = function (port, ...more) {
  const told = more.find((each) => typeof each === "function");
  return typeof port === "number" ? listen.call(this, { port, host: "127.0.0.1" }, told) : listen.call(this, port, ...more);
};
