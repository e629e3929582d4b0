import type { Pattern } from '../pattern.js';
import * as cytoplasmic from './cytoplasmic.js';
import * as cytoskeletal from './cytoskeletal.js';
import * as division from './division.js';
import * as nuclear from './nuclear.js';
import * as surface from './surface.js';

/** The pattern of each of the 28 labels, in the order of `hpaLabels`. */
export const labelPatterns: readonly Pattern[] = [
  nuclear.nucleoplasm,
  nuclear.nuclearMembrane,
  nuclear.nucleoli,
  nuclear.fibrillarCenters,
  nuclear.nuclearSpeckles,
  nuclear.nuclearBodies,
  cytoplasmic.endoplasmicReticulum,
  cytoplasmic.golgiApparatus,
  cytoplasmic.peroxisomes,
  cytoplasmic.endosomes,
  cytoplasmic.lysosomes,
  cytoskeletal.intermediateFilaments,
  cytoskeletal.actinFilaments,
  cytoskeletal.focalAdhesions,
  cytoskeletal.microtubules,
  cytoskeletal.microtubuleEnds,
  division.cytokineticBridge,
  division.mitoticSpindle,
  cytoskeletal.microtubuleOrganizingCenter,
  cytoskeletal.centrosome,
  cytoplasmic.lipidDroplets,
  surface.plasmaMembrane,
  surface.cellJunctions,
  cytoplasmic.mitochondria,
  cytoplasmic.aggresome,
  cytoplasmic.cytosol,
  cytoplasmic.cytoplasmicBodies,
  cytoplasmic.rodsAndRings,
];

/** The labels that need a cell in division, and so set the whole frame. */
export const cytokineticBridgeIndex = 16;
export const mitoticSpindleIndex = 17;
