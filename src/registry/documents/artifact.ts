/**
 * `artifacts/<ns>/<name>/<version>`: the OCI artifacts of a release, as they were first shown;
 * and `artifacts-by-digest/<ns>/<name>/<hex>`: what each of their objects is, and so which
 * digests a model opens beside those of its files.
 */
import * as v from 'valibot';
import { count, digest } from '../../core/shape.ts';
import { form } from './form.ts';

const descriptor = v.strictObject({
  mediaType: v.string(),
  digest,
  size: count,
  artifactType: v.string(),
  annotations: v.exactOptional(v.record(v.string(), v.string())),
});

const artifactsSchema = v.strictObject({
  v: v.literal(1),
  manifest: descriptor,
  referrers: v.array(descriptor),
  /** For Ollama, of a release that it could run. */
  ollama: v.exactOptional(descriptor),
});

const objectSchema = v.strictObject({
  v: v.literal(1),
  mediaType: v.string(),
  kind: v.picklist(['manifest', 'blob']),
});

export type ArtifactsRecord = v.InferOutput<typeof artifactsSchema>;

export const artifactsForm = form<ArtifactsRecord>('the OCI artifacts', artifactsSchema);
export const artifactObjectForm = form('the OCI object', objectSchema);
