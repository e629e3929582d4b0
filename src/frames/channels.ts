import { hpaChannels } from './frame.js';

const colours: Readonly<Record<string, string>> = {
  red: hpaChannels[0],
  green: hpaChannels[1],
  blue: hpaChannels[2],
  yellow: hpaChannels[3],
};

/**
 * The role of a channel that may be named by its Human Protein Atlas colour: "yellow" is
 * "endoplasmic_reticulum". Case and spaces around do not matter for the known names; any
 * other name is returned as it is, for a model whose channels are called so.
 */
export function resolveChannel(name: string): string {
  const plain = name.trim().toLowerCase();
  if (Object.hasOwn(colours, plain)) return colours[plain] ?? name;
  return (hpaChannels as readonly string[]).includes(plain) ? plain : name;
}

/** A role as a fault names it, with its colour where it has one: "nucleus (blue)". */
export function describeChannel(role: string): string {
  const colour = Object.keys(colours).find((name) => colours[name] === role);
  return colour === undefined ? role : `${role} (${colour})`;
}
