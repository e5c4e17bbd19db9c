"use strict";
// How figures are written. Each takes null for what is not known.

const DASH = "–";

function milliseconds(value) {
  if (value == null) return DASH;
  if (value >= 10000) return `${Math.round(value / 1000)} s`;
  if (value >= 1000) return `${(value / 1000).toFixed(1)} s`;
  if (value >= 10) return `${Math.round(value)} ms`;
  return `${value.toFixed(value >= 1 ? 1 : 2)} ms`;
}

function span(seconds) {
  if (seconds == null) return DASH;
  const whole = Math.floor(seconds);
  if (whole < 90) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 90) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

function bytes(value) {
  if (value == null) return DASH;
  let unit = 0;
  while (value >= 999.5 && unit < 4) [value, unit] = [value / 1000, unit + 1];
  return `${unit && value < 10 ? value.toFixed(1) : Math.round(value)} ${["B", "kB", "MB", "GB", "TB"][unit]}`;
}

function rate(value) {
  if (value == null) return DASH;
  return value > 0 && value < 10 ? value.toFixed(1) : Math.round(value).toLocaleString("en");
}

function count(number, one, many = `${one}s`) {
  return `${number.toLocaleString("en")} ${number === 1 ? one : many}`;
}

function percent(value) { return value == null ? DASH : `${value < 10 ? value.toFixed(1) : Math.round(value)} %`; }

function clock(iso) {
  const time = new Date(iso);
  return isNaN(time) ? String(iso) : time.toLocaleTimeString("en-GB");
}
