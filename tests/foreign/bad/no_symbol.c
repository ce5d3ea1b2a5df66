/* Exports nothing that lowlat looks for. */
int the_answer(void);
__attribute__((visibility("default"))) int the_answer(void) {
    return 42;
}
