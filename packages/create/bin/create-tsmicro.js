#!/usr/bin/env node
import 'create-tsmicro/main'
