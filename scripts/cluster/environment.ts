/** The environment without what would change how the programs of a cluster work. */
export function outside(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(WEIGHHOUSE_|AWS_|NODE_|JEST_|XDG_|CADDY_)/.test(name),
  );
  return Object.fromEntries(kept);
}
