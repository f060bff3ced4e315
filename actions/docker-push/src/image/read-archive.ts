import { openArchive, type StoredImage } from "./archive.ts";
import { readDockerArchive } from "./docker-archive.ts";
import { invalidImage } from "./file-range.ts";
import { readOciLayout } from "./oci-layout.ts";

/** The images of an export: `docker save` form or an OCI layout, as a tar (also gzipped) or a folder. */
export async function readArchive(path: string, folder: string, signal: AbortSignal): Promise<StoredImage[]> {
  const archive = await openArchive(path, folder, signal);
  // Newer engines write both forms into one file; manifest.json names exactly what was saved.
  if (archive.find("manifest.json")) return readDockerArchive(archive);
  if (archive.find("index.json")) return readOciLayout(archive);
  throw invalidImage(`\`${path}\` holds neither manifest.json nor index.json`);
}
