/** What the tests of permissions launch in place of `child.ts`: it prints what it may do. */

import { enterProcess } from "../../src/actor/launch/enter.ts";
import { permissions } from "./launch_permissions.ts";

const { leave } = enterProcess();
console.log(JSON.stringify(permissions()));
leave();
