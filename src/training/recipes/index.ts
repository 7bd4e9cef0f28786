/** What `acom train` makes: each recipe is a model from data to weights, in a folder of its own here. */
import { commandsLiveRecipe, commandsRecipe } from './commands/recipe.js';
import { esc10Recipe } from './esc10/recipe.js';
import { keywordsRecipe } from './keywords/recipe.js';
import type { Recipe } from './recipe.js';

export type { Recipe, RecipeNote, RecipeOptions, RecipeResult } from './recipe.js';

export const recipes: readonly Recipe[] = [commandsRecipe, commandsLiveRecipe, esc10Recipe, keywordsRecipe];
