import { homedir } from 'node:os';
import { join } from 'node:path';
import { GO_MODULES, TOOLS, type GoModule, type Tool } from './manifest.ts';

/** What the resolver works with; tests give it tools and folders of their own. */
export interface ToolsContext {
  tools: Readonly<Record<string, Tool>>;
  goModules: Readonly<Record<string, GoModule>>;
  /** Where the folders of Go modules are found. */
  projectFolder: string;
  cacheFolder: string;
  env: NodeJS.ProcessEnv;
}

/** The project's own manifest with this user's cache. */
export function defaultContext(env: NodeJS.ProcessEnv = process.env): ToolsContext {
  return {
    tools: TOOLS,
    goModules: GO_MODULES,
    projectFolder: join(import.meta.dirname, '../../..'),
    cacheFolder: cacheFolder(env),
    env,
  };
}

/** The manifest's entry of a tool. A name that is not in it is a mistake in the code. */
export function toolOf(context: ToolsContext, name: string): Tool {
  const tool = context.tools[name];
  if (!tool) throw new Error(`the manifest has no tool named ${name}`);
  return tool;
}

/** The Go module that a source names. */
export function goModuleOf(context: ToolsContext, name: string): GoModule {
  const module = context.goModules[name];
  if (!module) throw new Error(`the manifest has no Go module named ${name}`);
  return module;
}

/** Outside the work tree, so that every checkout of a user shares what took minutes to build. */
function cacheFolder(env: NodeJS.ProcessEnv): string {
  if (env.SLIPWAY_TOOLS_DIR) return env.SLIPWAY_TOOLS_DIR;
  return join(env.XDG_CACHE_HOME ?? join(env.HOME ?? homedir(), '.cache'), 'slipway/tools');
}
