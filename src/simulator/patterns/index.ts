import type { Pattern } from '../pattern.js';
import * as cytoplasm from './cytoplasm.js';
import * as division from './division.js';
import * as endomembranes from './endomembranes.js';
import * as filaments from './filaments.js';
import * as inclusions from './inclusions.js';
import * as microtubules from './microtubules.js';
import * as nuclear from './nuclear.js';
import * as surface from './surface.js';
import * as vesicles from './vesicles.js';

/** The pattern of each of the 28 labels, in the order of `hpaLabels`; `docs/labels.md` describes and shows them. */
export const labelPatterns: readonly Pattern[] = [
  nuclear.nucleoplasm,
  nuclear.nuclearMembrane,
  nuclear.nucleoli,
  nuclear.fibrillarCenters,
  nuclear.nuclearSpeckles,
  nuclear.nuclearBodies,
  endomembranes.endoplasmicReticulum,
  endomembranes.golgiApparatus,
  vesicles.peroxisomes,
  vesicles.endosomes,
  vesicles.lysosomes,
  filaments.intermediateFilaments,
  filaments.actinFilaments,
  filaments.focalAdhesions,
  microtubules.microtubules,
  microtubules.microtubuleEnds,
  division.cytokineticBridge,
  division.mitoticSpindle,
  microtubules.microtubuleOrganizingCenter,
  microtubules.centrosome,
  vesicles.lipidDroplets,
  surface.plasmaMembrane,
  surface.cellJunctions,
  cytoplasm.mitochondria,
  inclusions.aggresome,
  cytoplasm.cytosol,
  vesicles.cytoplasmicBodies,
  inclusions.rodsAndRings,
];

/** The labels that need a cell in division, and so set the whole frame. */
export const cytokineticBridgeIndex = 16;
export const mitoticSpindleIndex = 17;
