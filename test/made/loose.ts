/**
 * JSON out of which a test reads, or in which it changes, a member here and there: a type for each
 * of its many shapes would say again what the test says.
 */
// biome-ignore lint/suspicious/noExplicitAny: an unknown member must be readable without a check.
export type Loose = any;
