
/* The training voices' mean deviation within a voice, in steps, per column. */
const int16_t ser_model_usual[SER_PROFILE_COLUMNS] = {
$values
};
