/**
 * Scopes of tokens (Distribution Registry, "Token Scope", "Resource Scope Grammar"), as far as
 * there is anything to grant: repositories to pull from.
 *
 *     repository:acme/kimi-k2:pull        repository:acme/kimi-k2:pull,push
 */
import { formatModel, type Model, parseModel } from '../../core/release/name.ts';

const REPOSITORY_SCOPE = /^repository(?:\([a-z0-9]+\))?:([^:]+):([a-z*,]+)$/;

/** The scope that lets one pull from a model's repository. */
export function pullScope(model: Model): string {
  return `repository:${formatModel(model)}:pull`;
}

/**
 * The models that `scopes` ask to pull from, each once. What else they ask for is not granted, and
 * that is no error ("Token Authentication", "Requesting a Token").
 */
export function modelsToPull(scopes: readonly string[]): Model[] {
  const models = new Map<string, Model>();
  for (const scope of scopes.flatMap((text) => text.split(' '))) {
    const [, name = '', actions = ''] = REPOSITORY_SCOPE.exec(scope) ?? [];
    const model = modelOrUndefined(name);
    if (model === undefined || !actions.split(',').includes('pull')) continue;
    models.set(formatModel(model), model);
  }
  return [...models.values()];
}

/** The model of that name; undefined for what is no name of one. */
export function modelOrUndefined(name: string): Model | undefined {
  try {
    return parseModel(name);
  } catch {
    return undefined;
  }
}
