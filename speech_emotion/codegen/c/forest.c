
#define TREES $trees
#define VALUES $values
$discriminants
/* Whole numbers over the training range. */
$offset
$steps
$whole
/* emlearn's node, with a feature of 16 bits where eml_trees.h has 8 (and one of padding): it goes left where
   the feature is less than value. Children: nodes ahead of this one, or leaf -child - 1. */
typedef struct {
    int16_t feature;
    int16_t value;
    int16_t left;
    int16_t right;
} EmlTreesNode;

$nodes
$roots
/* Probabilities in 255ths, $labels per leaf. */
$leaves

static const uint8_t *leaf_of(int32_t root, const int16_t *values)
{
    const EmlTreesNode *node = nodes + root;
    for (;;) {
        const int child = values[node->feature] < node->value ? node->left : node->right;
        if (child < 0) {
            return leaves + (-child - 1) * SER_LABELS;
        }
        node += child;
    }
}

/* The leaves' bytes add up as integers: exact, in any order. */
static void vote(const int16_t *values, float *probabilities)
{
    uint32_t sums[SER_LABELS] = {0};
    uint32_t total = 0;
    for (int tree = 0; tree < TREES; tree++) {
        const uint8_t *leaf = leaf_of(roots[tree], values);
        for (int k = 0; k < SER_LABELS; k++) {
            sums[k] += leaf[k];
        }
    }
    for (int k = 0; k < SER_LABELS; k++) {
        total += sums[k];
    }
    for (int k = 0; k < SER_LABELS; k++) {
        probabilities[k] = (float)sums[k] / (float)total;
    }
}

void ser_model_predict(const float *features, float *probabilities)
{
    float values[VALUES];
    int16_t quantised[VALUES];
    for (int i = 0; i < COLUMNS; i++) {
        values[i] = scaled(features, i);
    }$discriminate
    for (int i = 0; i < VALUES; i++) {
        quantised[i] = whole((values[i] - offset[i]) * steps[i], $limit);
    }
    vote(quantised, probabilities);
}
