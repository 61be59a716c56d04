
/* The voice profile (ser_profile.h): what it belongs to, the columns that it holds, and its numbers. */
#define SER_MODEL_ID 0x${id}ULL
#define SER_PROFILE_COLUMNS $columns
$numbers
