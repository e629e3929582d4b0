/**
 * What prepared frames that are kept on disk are known by, beside their files and their
 * input spec. Raised with every change of the pixels that a PNG is prepared to, also with
 * one that a new sharp brings: a test holds it against them.
 */
export const preparation = 1;
