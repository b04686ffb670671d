/** The whole table: every group of rows, in the order of the reference list. */

import type { Group } from "./engine.ts";
import { mmapGroup } from "./mmap.ts";
import { mqGetattrGroup, mqSetattrGroup } from "./mq_attributes.ts";
import { mqCloseGroup, mqUnlinkGroup } from "./mq_end.ts";
import { mqNotifyGroup } from "./mq_notify.ts";
import { mqOpenGroup } from "./mq_open.ts";
import { mqReceiveGroup, mqTimedreceiveGroup } from "./mq_receive.ts";
import { mqSendGroup, mqTimedsendGroup } from "./mq_send.ts";
import { msyncGroup, munmapGroup } from "./munmap.ts";
import { shmOpenGroup } from "./shm_open.ts";
import { shmUnlinkGroup } from "./shm_unlink.ts";

export const GROUPS: readonly Group[] = [
  mqOpenGroup,
  mqSendGroup,
  mqReceiveGroup,
  mqTimedsendGroup,
  mqTimedreceiveGroup,
  mqGetattrGroup,
  mqSetattrGroup,
  mqNotifyGroup,
  mqCloseGroup,
  mqUnlinkGroup,
  shmOpenGroup,
  shmUnlinkGroup,
  mmapGroup,
  munmapGroup,
  msyncGroup,
];
