/**
 * Makes a folder usable as DOCKER_CONFIG beside the user's own: plug-ins,
 * contexts and buildx's builders stay visible, nothing is written to the
 * originals. `auths` is the `auths` map of config.json (base images in private
 * registries); the file is 0600.
 */
export function dockerHome(
  _folder: string,
  _env: Readonly<Record<string, string | undefined>>,
  _auths: Readonly<Record<string, { readonly auth: string }>>,
): void {
  throw new Error("not built yet");
}
