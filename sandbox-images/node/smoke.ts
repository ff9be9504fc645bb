// The node image: types are taken off, enums become objects, and a file may await at its top level.
import { basename } from "node:path";
enum Word { Smoke = "smoke", Ok = "ok" }
const said: readonly string[] = await Promise.resolve([Word.Smoke, Word.Ok]);
if (basename(process.argv[1]!) === basename(import.meta.url)) console.log(said.join(" "));
