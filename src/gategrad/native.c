/* The engine's short ways in C: what `variable.py`, `recording.py` and `tape.py` write out in Python, for more speed.

   Optional. The Python is the specification, and does it all where this file was not built or is not wanted
   (GATEGRAD_PURE_PYTHON=1); the tests run in both forms. Gate and Variable are the same Python classes in both: this
   file reads and writes their slots in place. It knows the common cases alone and hands the others back to the
   Python: an operator to `record`, an output to `settle`, a gradient to `fit`, a step of the walk to `sweep`, a method to the
   one of that name in Python.

     x + y, 2 * x, -x ...     `binary`, `on_one`     variable._binary, recording.unary, recording.record
     np.exp(x) ...            `array_ufunc`          Variable.__array_ufunc__
     Relu()(x), x[1:] ...     `call`, `unary`        Gate.__call__, recording.record, recording.unary
     steps of the walk        `advance`, `visit`     the loop in tape.sweep
     of masked gradients    `numbers_first`        postponed.numbers_first
     what arrives at leaves   `deposit`              backward._deposit
     x.value, x.grad          `get_value` ...        the properties

   Conventions: a function that returns int returns -1 with an exception set; PyObject * is a new reference unless
   it says "borrowed". Slots that hold nothing (a Variable made by object.__new__) raise, as in Python. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <structmember.h>
#include <stdint.h>

/* --- what `setup` is told: the engine's own objects, under the names they have in Python ----------------------- */

#define NEEDED(X)                                                                                                     \
    X(Variable) X(Gate) X(Constant) X(may_change) X(Parts) X(ndarray) X(float64)            /* types */                             \
    X(Masked) X(Postponed) X(Asked) X(unknown) X(postpone) X(numbers_of) X(is_finite) X(careful) /* postponed.py */              \
    X(errstate) X(FLOAT64) X(FLOAT32) X(BOOL) X(SINGLE)                                                   /* NumPy's */                           \
    X(record) X(record_in_full) X(recover) X(settle) X(is_narrow) X(strengthen) X(spread) X(compute)                       /* recording.py, for the rare cases */  \
    X(in_place)                                                               /* assignment.py, for arrays */         \
    X(fit) X(recover_backward) X(wrong_count)                         /* fit.py and tape.py, for the rare cases */       \
    X(call) X(array_ufunc) X(value) X(grad) X(shape) X(dtype) X(total) X(handed_out)                         /* what these do in Python */           \
    X(paused_level) X(orders) X(ufuncs) X(on_meeting) X(seen) X(NO_OPTIONS)   /* what both forms share */             \
    X(add) X(subtract) X(multiply) X(divide) X(power) X(matmul) X(negative) X(absolute) /* ufuncs */

#define DECLARE(name) static PyObject *name##_;
NEEDED(DECLARE)

static PyObject *both, *left, *right, *one, *nothing; /* values of `needs` */
static PyObject *zero;

#define NAMES(X) X(forward) X(backward) X(is_ours) X(shape) X(dtype) X(verify) X(release) X(level) X(gate) X(raw) X(users) X(_gradient) X(masked) X(passes_masks) \
    X(remembers_inputs) X(kind) X(spec) X(doubts) X(without_doubt)
#define NAME(name) static PyObject *s_##name;
NAMES(NAME)

/* --- slots: where `__slots__` put each attribute --------------------------------------------------------------- */

static struct { Py_ssize_t raw, gate, level, spec, gradient; } in_variable;
static struct { Py_ssize_t inputs, needs, options, order, spec, users, level; } in_gate;
static struct { Py_ssize_t array, fingerprint; } in_constant;
static struct { Py_ssize_t value; } in_masked;
static struct { Py_ssize_t value, origins, index, known; } in_postponed;
static struct { Py_ssize_t gate, dz, needs, remembered, known; } in_asked;

#define SLOT(object, offset) (*(PyObject **)((char *)(object) + (offset)))

/* Write a slot; the reference to `value` is handed over. */
static inline void put(PyObject *object, Py_ssize_t offset, PyObject *value)
{
    PyObject *old = SLOT(object, offset);
    SLOT(object, offset) = value;
    Py_XDECREF(old);
}

/* What a slot holds, borrowed; an empty one raises what reading the attribute in Python raises. */
static inline PyObject *held(PyObject *object, Py_ssize_t offset, PyObject *name)
{
    PyObject *value = SLOT(object, offset);
    if (value == NULL) Py_XDECREF(PyObject_GetAttr(object, name)); /* for its error */
    return value;
}

static int find_slot(PyObject *type, const char *name, Py_ssize_t *offset)
{
    PyObject *descriptor = PyObject_GetAttrString(type, name);
    if (descriptor == NULL) return -1;
    int found = Py_IS_TYPE(descriptor, &PyMemberDescr_Type);
    if (found) *offset = ((PyMemberDescrObject *)descriptor)->d_member->offset;
    else PyErr_Format(PyExc_TypeError, "%R has no slot %s", type, name);
    Py_DECREF(descriptor);
    return found ? 0 : -1;
}

static inline int is_gate(PyObject *x) { return PyObject_TypeCheck(x, (PyTypeObject *)Gate_); }
static inline int is_variable(PyObject *x) { return Py_IS_TYPE(x, (PyTypeObject *)Variable_); }
static inline int is_number(PyObject *x)
{
    return PyFloat_CheckExact(x) || PyLong_CheckExact(x) || Py_IS_TYPE(x, (PyTypeObject *)float64_);
}
static inline int is_postponed(PyObject *x) { return Py_IS_TYPE(x, (PyTypeObject *)Postponed_); }
static inline int is_array(PyObject *x) { return Py_IS_TYPE(x, (PyTypeObject *)ndarray_); }

/* A truth about a gate, by name. */
static int says(PyObject *gate, PyObject *name)
{
    PyObject *answer = PyObject_GetAttr(gate, name);
    if (answer == NULL) return -1;
    int truth = PyObject_IsTrue(answer);
    Py_DECREF(answer);
    return truth;
}

static inline int is_ours(PyObject *gate) { return says(gate, s_is_ours); }

/* Whether gates on this level are recorded. */
static int is_recorded(PyObject *level)
{
    PyObject *paused;
    if (PyContextVar_Get(paused_level_, NULL, &paused) < 0) return -1;
    long long threshold = PyLong_AsLongLong(paused), here = PyLong_AsLongLong(level);
    Py_DECREF(paused);
    if ((threshold == -1 || here == -1) && PyErr_Occurred()) return -1;
    return here > threshold;
}

/* The spec of an array: (shape, dtype). */
static PyObject *spec_of_array(PyObject *z)
{
    PyObject *shape = PyObject_GetAttr(z, s_shape), *dtype = PyObject_GetAttr(z, s_dtype);
    PyObject *spec = shape != NULL && dtype != NULL ? PyTuple_Pack(2, shape, dtype) : NULL;
    Py_XDECREF(shape);
    Py_XDECREF(dtype);
    return spec;
}

/* An exception is set: call function(exception, gate, what) as an `except Exception` clause would.
   The reference to `what` is handed over. */
static PyObject *rescue(PyObject *function, PyObject *gate, PyObject *what)
{
    PyObject *type, *error, *traceback;
    PyErr_Fetch(&type, &error, &traceback);
    PyErr_NormalizeException(&type, &error, &traceback);
    if (traceback != NULL) PyException_SetTraceback(error, traceback);
    Py_XDECREF(traceback);
    PyObject *answer = NULL;
    if (what == NULL || !PyErr_GivenExceptionMatches(type, PyExc_Exception)) { /* a KeyboardInterrupt passes */
        PyErr_SetObject(type, error);
    } else {
        PyObject *outer = PyErr_GetHandledException();
        PyErr_SetHandledException(error);
        answer = PyObject_CallFunctionObjArgs(function, error, gate, what, NULL);
        PyErr_SetHandledException(outer);
        Py_XDECREF(outer);
    }
    Py_DECREF(type);
    Py_DECREF(error);
    Py_XDECREF(what);
    return answer;
}

/* --- recording ------------------------------------------------------------------------------------------------- */

/* An input of a gate: the gate that made the variable, which gains a user, or the leaf itself. */
static PyObject *source_of(PyObject *x)
{
    PyObject *gate = held(x, in_variable.gate, s_gate);
    if (gate == NULL) return NULL;
    if (gate == Py_None || !is_gate(gate)) return Py_NewRef(x);
    PyObject *before = held(gate, in_gate.users, s_users);
    long count = before == NULL ? -1 : PyLong_AsLong(before);
    if (count == -1 && PyErr_Occurred()) return NULL;
    PyObject *users = PyLong_FromLong(count + 1);
    if (users == NULL) return NULL;
    put(gate, in_gate.users, users);
    return Py_NewRef(gate);
}

static PyObject *tuple_of(PyObject *const *items, Py_ssize_t count)
{
    PyObject *tuple = PyTuple_New(count);
    for (Py_ssize_t n = 0; tuple != NULL && n < count; n++) PyTuple_SET_ITEM(tuple, n, Py_NewRef(items[n]));
    return tuple;
}

/* A new variable on this level, computed by this gate; the reference to its value is handed over. */
static PyObject *output(PyObject *raw, PyObject *gate, PyObject *level)
{
    PyObject *out = ((PyTypeObject *)Variable_)->tp_alloc((PyTypeObject *)Variable_, 0);
    if (out == NULL) {
        Py_DECREF(raw);
        return NULL;
    }
    SLOT(out, in_variable.raw) = raw;
    SLOT(out, in_variable.gate) = Py_NewRef(gate);
    SLOT(out, in_variable.level) = Py_NewRef(level);
    return out;
}

/* What a variable looks like, borrowed; NULL without an exception if Python must say. */
static PyObject *known_spec(PyObject *x)
{
    PyObject *gate = SLOT(x, in_variable.gate);
    return gate == Py_None ? SLOT(x, in_variable.spec) : gate != NULL && is_gate(gate) ? SLOT(gate, in_gate.spec) : NULL;
}

/* Whether a value is of floating-point numbers other than float64; forward.is_narrow in Python, for rare kinds. */
static int is_narrow(PyObject *value)
{
    if (is_number(value)) return 0;
    PyObject *dtype = is_array(value) ? PyObject_GetAttr(value, s_dtype) : NULL;
    if (is_array(value) && dtype == NULL) return -1;
    Py_XDECREF(dtype); /* the two that are asked for below live as long as NumPy */
    if (dtype == FLOAT64_ || (dtype != NULL && dtype == FLOAT32_)) return dtype == FLOAT32_;
    PyObject *answer = PyObject_CallOneArg(is_narrow_, value);
    int narrow = answer == NULL ? -1 : PyObject_IsTrue(answer);
    Py_XDECREF(answer);
    return narrow;
}

/* Whether any of some values is. */
static int are_narrow(PyObject *const *values, Py_ssize_t count)
{
    int narrow = 0;
    for (Py_ssize_t n = 0; n < count && !narrow; n++) narrow = is_narrow(values[n]);
    return narrow;
}

/* Whether a value is a variable of a tape below this level. */
static int is_below(PyObject *z, PyObject *level)
{
    if (!is_variable(z) || SLOT(z, in_variable.level) == NULL) return 0;
    int below = PyObject_RichCompareBool(SLOT(z, in_variable.level), level, Py_LT);
    if (below < 0) PyErr_Clear();
    return below > 0;
}

/* Apply a gate to values and hand out its output: what every short way ends in. `call` is the gate and its values,
   `needs` is borrowed, the reference to `inputs` is handed over. `numbers` is the spec of an output that is a float of
   Python's: whose number that is, Python's (None) or NumPy's (nothing). */
static PyObject *apply(PyObject *const *call, Py_ssize_t count, PyObject *needs, PyObject *inputs, PyObject *level,
                       PyObject *options, PyObject *numbers)
{
    PyObject *gate = call[0], *spec;
    PyObject *order = Py_TYPE(orders_)->tp_iternext(orders_);
    if (order == NULL) {
        Py_DECREF(inputs);
        return NULL;
    }
    put(gate, in_gate.needs, Py_NewRef(needs));
    put(gate, in_gate.inputs, inputs);
    put(gate, in_gate.options, Py_NewRef(options));
    put(gate, in_gate.level, Py_NewRef(level));
    put(gate, in_gate.order, order);
    put(gate, in_gate.users, Py_NewRef(zero));
    PyObject *z = PyObject_VectorcallMethod(s_forward, call, 1 + count, NULL);
    if (z == NULL) {
        z = rescue(recover_, gate, tuple_of(call + 1, count));
        if (z == NULL) return NULL;
    }
    if (PyFloat_CheckExact(z)) {
        put(gate, in_gate.spec, Py_NewRef(numbers));
        return output(z, gate, level);
    }
    if (Py_IS_TYPE(z, (PyTypeObject *)float64_)) { /* a subclass of float; see forward.number */
        int narrow = are_narrow(call + 1, count);
        if (!narrow) Py_SETREF(z, PyFloat_FromDouble(PyFloat_AS_DOUBLE(z)));
        else if (narrow < 0) Py_CLEAR(z);
        if (z == NULL) return NULL;
        put(gate, in_gate.spec, Py_NewRef(narrow ? SINGLE_ : nothing));
        return output(z, gate, level);
    }
    int ours = is_array(z) || is_below(z, level) ? is_ours(gate) : 0;
    if (ours > 0) {
        spec = is_array(z) ? spec_of_array(z) : PyObject_GetAttr(z, s_spec);
        if (spec != NULL) {
            put(gate, in_gate.spec, spec);
            return output(z, gate, level);
        }
    } else if (ours == 0) {
        PyObject *values = tuple_of(call + 1, count);
        PyObject *settled = values != NULL ? PyObject_CallFunctionObjArgs(settle_, z, gate, values, NULL) : NULL;
        Py_XDECREF(values);
        Py_DECREF(z);
        if (settled == NULL || !PyTuple_CheckExact(settled)) {
            if (settled != NULL && SLOT(gate, in_gate.spec) == Py_None) put(gate, in_gate.spec, Py_NewRef(numbers));
            return settled ? output(settled, gate, level) : NULL;
        }
        PyObject *outputs = PyObject_CallFunctionObjArgs(spread_, settled, gate, level, NULL);
        Py_DECREF(settled);
        return outputs;
    }
    Py_DECREF(z);
    return NULL;
}

/* A fresh gate for a ufunc. */
static PyObject *gate_for(PyObject *ufunc)
{
    PyObject *cls = PyDict_GetItemWithError(ufuncs_, ufunc);
    if (cls == NULL) {
        if (!PyErr_Occurred()) PyErr_SetObject(PyExc_KeyError, ufunc);
        return NULL;
    }
    PyTypeObject *type = (PyTypeObject *)cls;
    if (!Py_IS_TYPE(cls, &PyType_Type) || type->tp_init != PyBaseObject_Type.tp_init) return PyObject_CallNoArgs(cls);
    return type->tp_new(type, nothing, NULL); /* there is nothing to initialise */
}

/* The long way: function(gate, inputs) in Python. */
static PyObject *the_long_way(PyObject *function, PyObject *gate, PyObject *const *items, Py_ssize_t count)
{
    PyObject *inputs = tuple_of(items, count);
    if (inputs == NULL) return NULL;
    PyObject *out = PyObject_CallFunctionObjArgs(function, gate, inputs, NULL);
    Py_DECREF(inputs);
    return out;
}

/* The level of a variable, borrowed. Only that of another copy of the package, loaded anew, can be none of ours. */
static PyObject *level_of(PyObject *x)
{
    if (is_variable(x)) return held(x, in_variable.level, s_level);
    PyErr_Format(PyExc_TypeError, "%R belongs to another copy of gategrad", Py_TYPE(x));
    return NULL;
}

/* Whether an array holds numbers, or truths. */
static int is_of_numbers(PyObject *array)
{
    PyObject *dtype = PyObject_GetAttr(array, s_dtype);
    int known = dtype == FLOAT64_ || dtype == BOOL_;
    PyObject *kind = dtype != NULL && !known ? PyObject_GetAttr(dtype, s_kind) : NULL;
    const char *letter = kind != NULL ? PyUnicode_AsUTF8(kind) : NULL;
    if (letter != NULL) known = strchr("fciub", *letter) != NULL;
    else if (!known) known = -1;
    Py_XDECREF(kind);
    Py_XDECREF(dtype);
    return known;
}

/* Whether these are plain numbers and arrays, and variables all on one tape. */
static int are_together(PyObject *const *inputs, Py_ssize_t count, PyObject **level)
{
    *level = NULL;
    for (Py_ssize_t n = 0; n < count; n++) {
        PyObject *x = inputs[n];
        int good;
        if (is_variable(x)) {
            PyObject *here = held(x, in_variable.level, s_level);
            good = here == NULL ? -1 : *level == NULL || here == *level ? 1 : PyObject_RichCompareBool(here, *level, Py_EQ);
            *level = here;
        } else {
            good = is_number(x) ? 1 : is_array(x) ? is_of_numbers(x) : 0;
        }
        if (good <= 0) return good;
    }
    return 1;
}

enum { LONG, SHORT, PAUSED }; /* ways */

/* Which way inputs go: the short one if they are together, with a variable among them, and their tape records. */
static int way_of(PyObject *const *inputs, Py_ssize_t count, PyObject **level)
{
    int together = are_together(inputs, count, level);
    if (together <= 0 || *level == NULL) return together < 0 ? -1 : LONG;
    int recorded = is_recorded(*level);
    return recorded < 0 ? -1 : recorded ? SHORT : PAUSED;
}

enum { EXACT_BYTES = 8192 }; /* as in constant.py */

/* What a gate remembers of an array of the caller's: the array itself if it cannot change, else a Constant. */
static PyObject *constant_of(PyObject *array)
{
    Py_buffer view;
    if (PyObject_GetBuffer(array, &view, PyBUF_SIMPLE) == 0) {
        PyObject *bytes = view.readonly || view.len > EXACT_BYTES ? NULL : PyBytes_FromStringAndSize(view.buf, view.len);
        PyBuffer_Release(&view);
        if (bytes != NULL) {
            PyObject *constant = ((PyTypeObject *)Constant_)->tp_alloc((PyTypeObject *)Constant_, 0);
            if (constant == NULL) return Py_DECREF(bytes), NULL;
            SLOT(constant, in_constant.array) = Py_NewRef(array);
            SLOT(constant, in_constant.fingerprint) = bytes;
            return constant;
        }
    }
    PyErr_Clear(); /* of an array with gaps */
    PyObject *answer = PyObject_CallOneArg(may_change_, array), *constant = NULL;
    int may = answer == NULL ? -1 : PyObject_IsTrue(answer);
    if (may >= 0) constant = may ? PyObject_CallOneArg(Constant_, array) : Py_NewRef(array);
    Py_XDECREF(answer);
    return constant;
}

/* What an input is to a gate: the source of its gradient (a new reference) and its value (borrowed). */
static int take(PyObject *gate, PyObject *x, PyObject **source, PyObject **value)
{
    *source = NULL;
    *value = x;
    if (is_variable(x)) {
        *value = held(x, in_variable.raw, s_raw);
        if (*value != NULL) *source = source_of(x);
    } else {
        int remembers = is_array(x) ? says(gate, s_remembers_inputs) : 0;
        if (remembers >= 0) *source = remembers ? constant_of(x) : Py_NewRef(x);
    }
    return *source == NULL ? -1 : 0;
}

/* Which inputs want a gradient, of which one does. */
static PyObject *needs_of(PyObject *const *items, Py_ssize_t count)
{
    if (count == 1) return Py_NewRef(one);
    if (count == 2) return Py_NewRef(!is_variable(items[0]) ? right : is_variable(items[1]) ? both : left);
    PyObject *needs = PyTuple_New(count);
    for (Py_ssize_t n = 0; needs != NULL && n < count; n++)
        PyTuple_SET_ITEM(needs, n, Py_NewRef(is_variable(items[n]) ? Py_True : Py_False));
    return needs;
}

enum { MOST_INPUTS = 8 }; /* of a gate that goes the short way */

/* Put NumPy's own numbers in place of the floats that are, where they meet others than float64; recording._widen. */
static int widen(PyObject *const *items, PyObject **values, Py_ssize_t count)
{
    int narrow = are_narrow(values, count);
    for (Py_ssize_t n = 0; n < count && narrow > 0; n++) {
        if (!is_variable(items[n]) || !PyFloat_CheckExact(values[n]) || known_spec(items[n]) != nothing) continue;
        PyObject *number = PyObject_CallOneArg(float64_, values[n]);
        if (number == NULL) narrow = -1;
        else Py_SETREF(values[n], number);
    }
    return narrow < 0 ? -1 : 0;
}

/* Record a gate of ours on inputs that can go the short way. */
static PyObject *on_several(PyObject *gate, PyObject *const *items, Py_ssize_t count, PyObject *level, PyObject *options)
{
    PyObject *call[1 + MOST_INPUTS] = {gate}, *inputs = PyTuple_New(count), *needs = needs_of(items, count);
    PyObject *out = NULL, *numbers = Py_None;
    int failed = inputs == NULL || needs == NULL;
    for (Py_ssize_t n = 0; n < count && !failed; n++) {
        PyObject *source;
        failed = take(gate, items[n], &source, &call[1 + n]);
        if (!failed) PyTuple_SET_ITEM(inputs, n, source);
        else call[1 + n] = NULL;
        if (!failed && is_variable(items[n]) &&
            (source == items[n] ? SLOT(source, in_variable.spec) : SLOT(source, in_gate.spec)) == nothing)
            numbers = nothing;
        Py_XINCREF(call[1 + n]); /* a value may be replaced in its variable meanwhile */
    }
    if (!failed && count > 1 && numbers == nothing) failed = widen(items, call + 1, count);
    if (!failed) {
        out = apply(call, count, needs, inputs, level, options, numbers);
        inputs = NULL;
    }
    for (Py_ssize_t n = 0; n < count; n++) Py_XDECREF(call[1 + n]);
    Py_XDECREF(inputs);
    Py_XDECREF(needs);
    return out;
}

/* x ∘ y, of which x, y or both are variables. */
static PyObject *binary(PyObject *ufunc, PyObject *x, PyObject *y)
{
    PyObject *level, *pair[] = {x, y};
    int way = way_of(pair, 2, &level);
    PyObject *gate = way < 0 ? NULL : gate_for(ufunc);
    if (gate == NULL) return NULL;
    PyObject *out = way == SHORT ? on_several(gate, pair, 2, level, NO_OPTIONS_)
                                 : the_long_way(way == PAUSED ? compute_ : record_, gate, pair, 2);
    Py_DECREF(gate);
    return out;
}

/* x += y: a single number makes way for another; whether an array can be written into is for Python to say. */
static PyObject *binary_in_place(PyObject *ufunc, PyObject *x, PyObject *y)
{
    PyObject *gate = held(x, in_variable.gate, s_gate);
    if (gate == NULL) return NULL;
    PyObject *spec = gate == Py_None ? SLOT(x, in_variable.spec) : SLOT(gate, in_gate.spec);
    if (spec == Py_None || spec == nothing) return binary(ufunc, x, y);
    PyObject *call[] = {ufunc, x, y};
    return PyObject_Vectorcall(in_place_, call, 3, NULL);
}

/* A gate of ours on one variable. */
static PyObject *on_one(PyObject *gate, PyObject *x, PyObject *options)
{
    PyObject *level = level_of(x);
    int above = level == NULL ? -1 : is_recorded(level);
    if (above < 0) return NULL;
    if (!above) return the_long_way(compute_, gate, &x, 1);
    return on_several(gate, &x, 1, level, options);
}

/* The gate for a ufunc, on one variable. */
static PyObject *made_on_one(PyObject *ufunc, PyObject *x)
{
    PyObject *gate = gate_for(ufunc);
    if (gate == NULL) return NULL;
    PyObject *out = on_one(gate, x, NO_OPTIONS_);
    Py_DECREF(gate);
    return out;
}

/* recording._in_full(gate, inputs, level), whoever has paused this level. */
static PyObject *in_full(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    if (count != 3 || !is_gate(args[0]) || !PyTuple_CheckExact(args[1])) {
        PyErr_SetString(PyExc_TypeError, "in_full(gate, inputs, level)");
        return NULL;
    }
    PyObject *gate = args[0], *const *inputs = &PyTuple_GET_ITEM(args[1], 0), *level, *options = SLOT(gate, in_gate.options);
    Py_ssize_t width = PyTuple_GET_SIZE(args[1]);
    int ours = options != NULL && width <= MOST_INPUTS ? is_ours(gate) : 0;
    int quick = ours > 0 ? are_together(inputs, width, &level) : ours;
    if (quick < 0) return NULL;
    if (!quick || level == NULL) return PyObject_Vectorcall(record_in_full_, args, 3, NULL);
    Py_INCREF(options);
    PyObject *out = on_several(gate, inputs, width, level, options);
    Py_DECREF(options);
    return out;
}

static PyObject *unary(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    if (count < 2 || count > 3 || !is_gate(args[0]) || !is_variable(args[1])) {
        PyErr_SetString(PyExc_TypeError, "unary(gate, variable, options)");
        return NULL;
    }
    return on_one(args[0], args[1], count == 3 ? args[2] : NO_OPTIONS_);
}

/* A dictionary of what is set on the gate so far: its options, before it is applied. */
static PyObject *options_of(PyObject *gate)
{
    PyObject *set = PyObject_GenericGetDict(gate, NULL), *options = set != NULL ? PyDict_Copy(set) : NULL;
    Py_XDECREF(set);
    return options;
}

/* Whether a gate is applied for the first time, and others of its class have been before (see gate.unapplied). */
static int is_fresh(PyObject *gate)
{
    if (SLOT(gate, in_gate.needs) != NULL && SLOT(gate, in_gate.options) != NULL) return 0;
    return PySet_Contains(seen_, (PyObject *)Py_TYPE(gate));
}

/* Whether any of these is more to a gate than a plain value. */
static int is_met(PyObject *const *items, Py_ssize_t count)
{
    for (Py_ssize_t n = 0; n < count; n++) {
        if (PyDict_GetItemWithError(on_meeting_, (PyObject *)Py_TYPE(items[n])) != NULL) return 1;
        if (PyErr_Occurred()) return -1;
    }
    return 0;
}

/* The output of a fresh gate for plain values: nothing is recorded. `call` is the gate and its values. */
static PyObject *computed(PyObject *const *call, Py_ssize_t count)
{
    PyObject *options = options_of(call[0]), *needs = options != NULL ? PyTuple_New(count) : NULL;
    if (needs == NULL) {
        Py_XDECREF(options);
        return NULL;
    }
    for (Py_ssize_t n = 0; n < count; n++) PyTuple_SET_ITEM(needs, n, Py_NewRef(Py_False));
    put(call[0], in_gate.options, options);
    put(call[0], in_gate.needs, needs);
    return PyObject_VectorcallMethod(s_forward, call, 1 + count, NULL);
}

/* The output of a fresh gate of ours for inputs that can go the short way. */
static PyObject *recorded(PyObject *gate, PyObject *const *inputs, Py_ssize_t count, PyObject *level)
{
    PyObject *options = options_of(gate);
    if (options == NULL) return NULL;
    if (PyDict_GET_SIZE(options) == 0) Py_SETREF(options, Py_NewRef(NO_OPTIONS_));
    PyObject *out = on_several(gate, inputs, count, level, options);
    Py_DECREF(options);
    return out;
}

/* function(self, ...), with the arguments of a method in C. */
static PyObject *in_python(PyObject *function, PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    Py_ssize_t all = count + (names != NULL ? PyTuple_GET_SIZE(names) : 0);
    PyObject **stack = PyMem_New(PyObject *, 1 + all), *answer;
    if (stack == NULL) return PyErr_NoMemory();
    stack[0] = self;
    for (Py_ssize_t n = 0; n < all; n++) stack[1 + n] = args[n];
    answer = PyObject_Vectorcall(function, stack, 1 + count, names);
    PyMem_Free(stack);
    return answer;
}

/* Gate.__call__(gate, *inputs): on variables of one tape and plain values, or on plain values alone. */
static PyObject *call(PyObject *gate, PyObject *const *inputs, Py_ssize_t count, PyObject *names)
{
    int fresh = names != NULL ? 0 : is_fresh(gate);
    if (fresh > 0 && count > 0 && count <= MOST_INPUTS) {
        PyObject *level;
        int way = way_of(inputs, count, &level), ours = way == SHORT ? is_ours(gate) : 0;
        if (ours > 0) return recorded(gate, inputs, count, level);
        fresh = way < 0 || ours < 0 ? -1 : level == NULL;
        if (fresh > 0 && count <= 3) {
            PyObject *with_gate[4] = {gate};
            for (Py_ssize_t n = 0; n < count; n++) with_gate[1 + n] = inputs[n];
            int met = is_met(inputs, count);
            if (!met) return computed(with_gate, count);
            fresh = met < 0 ? -1 : 0;
        }
    }
    return fresh < 0 ? NULL : in_python(call_, gate, inputs, count, names);
}

/* What a ufunc made, which is NumPy's where it is a single number, though the rule may have computed with Python's.
   Takes over the reference to it. */
static PyObject *of_numpy(PyObject *out)
{
    if (out == NULL || !is_variable(out) || known_spec(out) != Py_None) return out;
    PyObject *done = PyObject_CallOneArg(strengthen_, out);
    if (done == NULL) Py_CLEAR(out);
    Py_XDECREF(done);
    return out;
}

/* Variable.__array_ufunc__(x, ufunc, method, *inputs): a ufunc that a gate of ours stands for, of one or two inputs. */
static PyObject *array_ufunc(PyObject *x, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    int common = is_variable(x) && names == NULL && (count == 3 || count == 4) && PyUnicode_Check(args[1]) &&
                 PyUnicode_CompareWithASCIIString(args[1], "__call__") == 0;
    PyObject *cls = common ? PyDict_GetItemWithError(ufuncs_, args[0]) : NULL;
    int ours = cls != NULL ? is_ours(cls) : PyErr_Occurred() ? -1 : 0;
    if (ours < 0) return NULL;
    if (!ours || (count == 3 && args[2] != x)) return in_python(array_ufunc_, x, args, count, names);
    return of_numpy(count == 3 ? made_on_one(args[0], x) : binary(args[0], args[2], args[3]));
}

/* --- the walk -------------------------------------------------------------------------------------------------- */

/* Whether an array has this shape and this very dtype. */
static int looks_like(PyObject *array, PyObject *spec)
{
    PyObject *dtype = PyObject_GetAttr(array, s_dtype);
    Py_XDECREF(dtype);
    if (dtype != PyTuple_GET_ITEM(spec, 1)) return dtype == NULL ? -1 : 0;
    PyObject *shape = PyObject_GetAttr(array, s_shape);
    int same = shape == NULL ? -1 : PyObject_RichCompareBool(shape, PyTuple_GET_ITEM(spec, 0), Py_EQ);
    Py_XDECREF(shape);
    return same;
}

/* Whether a variable looks like this. */
static int is_alike(PyObject *x, PyObject *spec)
{
    PyObject *own = PyObject_GetAttr(x, s_spec);
    int alike = own == NULL ? -1 : own == spec || (own == Py_None && spec == nothing) || (own == nothing && spec == Py_None);
    if (!alike && PyTuple_CheckExact(own) && PyTuple_CheckExact(spec) &&
        PyTuple_GET_SIZE(own) == 2 && PyTuple_GET_SIZE(spec) == 2 && PyTuple_GET_ITEM(own, 1) == PyTuple_GET_ITEM(spec, 1))
        alike = PyObject_RichCompareBool(PyTuple_GET_ITEM(own, 0), PyTuple_GET_ITEM(spec, 0), Py_EQ);
    Py_XDECREF(own);
    return alike;
}

/* Whether a masked gradient may go on to where it comes next. */
static int passes_masks(PyObject *source)
{
    return is_variable(source) || !is_gate(source) ? 0 : says(source, s_passes_masks);
}

/* The gradient in the form of the value it belongs to; `fit` in Python, where it is not so already.
   The reference to dx is handed over. */
static PyObject *fitted(PyObject *dx, PyObject *source, PyObject *gate, Py_ssize_t index, PyObject *dz)
{
    PyObject *spec = is_variable(source) ? Py_XNewRef(SLOT(source, in_variable.spec))
                     : is_gate(source)   ? Py_XNewRef(SLOT(source, in_gate.spec))
                                         : NULL;
    if (spec == NULL) spec = PyObject_GetAttrString(source, "spec");
    int fits = spec == NULL ? -1 : dx == Py_None;
    PyObject *array = Py_IS_TYPE(dx, (PyTypeObject *)Masked_) ? SLOT(dx, in_masked.value) : dx;
    int pass = array != dx && !fits ? passes_masks(source) : 1;
    if (pass <= 0) array = NULL;
    if (pass < 0) fits = -1;
    if (!fits && (spec == Py_None || spec == nothing) && !is_variable(dx)) fits = PyFloat_CheckExact(dx);
    else if (!fits && is_variable(dx)) fits = is_alike(dx, spec);
    else if (!fits && array != NULL && is_array(array) && PyTuple_CheckExact(spec) && PyTuple_GET_SIZE(spec) == 2)
        fits = looks_like(array, spec);
    PyObject *position = fits == 0 ? PyLong_FromSsize_t(index) : NULL;
    if (position != NULL) Py_SETREF(dx, PyObject_CallFunctionObjArgs(fit_, dx, spec, gate, position, dz, NULL));
    else if (fits <= 0) Py_CLEAR(dx);
    if (dx != NULL && Py_IS_TYPE(dx, (PyTypeObject *)Masked_))
        Py_SETREF(dx, PyObject_CallFunctionObjArgs(postpone_, dx, spec, NULL));
    Py_XDECREF(position);
    Py_XDECREF(spec);
    return dx;
}

/* before + dx, where None adds nothing. Borrows both. */
static PyObject *sum_of(PyObject *before, PyObject *dx)
{
    if (before == NULL || before == Py_None) return Py_NewRef(dx);
    if (dx == Py_None) return Py_NewRef(before);
    return is_postponed(dx) ? PyNumber_Add(dx, before) : PyNumber_Add(before, dx);
}

/* Where the walk is: the lists and dictionaries of `sweep`, and the last pair of `ready`, which is not in the list yet,
   since it is the next to come out. */
typedef struct {
    PyObject *ready, *waiting, *leaves; /* borrowed */
    PyObject *gate, *dz;                /* or NULL */
    PyObject *quiet;                    /* what keeps NumPy from warning, or NULL */
} Walk;

/* Put the last pair into the list, if there is one. */
static int put_down(Walk *walk)
{
    if (walk->gate == NULL) return 0;
    PyObject *pair = PyTuple_Pack(2, walk->gate, walk->dz);
    int failed = pair == NULL ? -1 : PyList_Append(walk->ready, pair);
    Py_XDECREF(pair);
    Py_CLEAR(walk->gate);
    Py_CLEAR(walk->dz);
    return failed;
}

/* Take the last pair out of the list, if there is none at hand; whether there is one now. */
static int pick_up(Walk *walk)
{
    Py_ssize_t last = PyList_GET_SIZE(walk->ready) - 1;
    if (walk->gate != NULL || last < 0) return walk->gate != NULL;
    PyObject *pair = PyList_GET_ITEM(walk->ready, last);
    walk->gate = Py_NewRef(PyTuple_GET_ITEM(pair, 0));
    walk->dz = Py_NewRef(PyTuple_GET_ITEM(pair, 1));
    Py_SET_SIZE(walk->ready, last); /* the list's reference to the pair is ours now */
    Py_DECREF(pair);
    return 1;
}

static int append(Walk *walk, PyObject *gate, PyObject *dz)
{
    if (put_down(walk)) return -1;
    walk->gate = Py_NewRef(gate);
    walk->dz = Py_NewRef(dz);
    return 0;
}

/* dx has arrived at one input. */
static int arrive(PyObject *source, PyObject *dx, Walk *walk)
{
    PyObject *waiting = walk->waiting, *leaves = walk->leaves;
    PyObject *counted = !is_variable(source) && is_gate(source) ? held(source, in_gate.users, s_users) : zero;
    long users = counted == NULL ? -1 : PyLong_AsLong(counted);
    if (users == -1 && PyErr_Occurred()) return -1;
    if (users == 0) { /* a leaf */
        PyObject *before = PyDict_GetItemWithError(leaves, source);
        if (before == NULL && PyErr_Occurred()) return -1;
        PyObject *sum = sum_of(before, dx);
        int failed = sum == NULL ? -1 : PyDict_SetItem(leaves, source, sum);
        Py_XDECREF(sum);
        return failed;
    }
    PyObject *entry = users == 1 && !PyDict_GET_SIZE(waiting) ? NULL : PyDict_GetItemWithError(waiting, source);
    if (entry == NULL) {
        if (PyErr_Occurred()) return -1;
        if (users == 1) return append(walk, source, dx);
        PyObject *missing = PyLong_FromLong(users - 1);
        PyObject *fresh = PyList_New(2);
        if (missing == NULL || fresh == NULL) {
            Py_XDECREF(missing);
            Py_XDECREF(fresh);
            return -1;
        }
        PyList_SET_ITEM(fresh, 0, Py_NewRef(dx));
        PyList_SET_ITEM(fresh, 1, missing);
        int failed = PyDict_SetItem(waiting, source, fresh);
        Py_DECREF(fresh);
        return failed;
    }
    PyObject *sum = sum_of(PyList_GET_ITEM(entry, 0), dx);
    if (sum == NULL) return -1;
    long missing = PyLong_AsLong(PyList_GET_ITEM(entry, 1)) - 1;
    int failed;
    if (missing) {
        failed = PyList_SetItem(entry, 0, sum);
        if (!failed) failed = PyList_SetItem(entry, 1, PyLong_FromLong(missing));
    } else {
        failed = append(walk, source, sum);
        Py_DECREF(sum);
        if (!failed) failed = PyDict_DelItem(waiting, source);
    }
    return failed;
}

/* The gate forgets what it remembered. */
static int release(PyObject *gate)
{
    PyObject *options = SLOT(gate, in_gate.options);
    if (options != NO_OPTIONS_) {
        PyObject *done = PyObject_CallMethodNoArgs(gate, s_release);
        Py_XDECREF(done);
        return done == NULL ? -1 : 0;
    }
    put(gate, in_gate.needs, Py_NewRef(nothing));
    PyObject *remembered = PyObject_GenericGetDict(gate, NULL);
    if (remembered == NULL) return -1;
    PyDict_Clear(remembered);
    Py_DECREF(remembered);
    return 0;
}

/* What a rule returned as a tuple, one gradient for each input. Takes over the reference to dxs. */
static PyObject *gradients(PyObject *dxs, PyObject *gate, Py_ssize_t count)
{
    if (dxs == NULL) return NULL;
    if (!PyTuple_CheckExact(dxs)) {
        PyObject *tuple = PyList_CheckExact(dxs) ? PyList_AsTuple(dxs) : tuple_of(&dxs, 1);
        Py_SETREF(dxs, tuple);
        if (dxs == NULL) return NULL;
    }
    if (PyTuple_GET_SIZE(dxs) == count) return dxs;
    PyObject *error = PyObject_CallFunction(wrong_count_, "nO", PyTuple_GET_SIZE(dxs), gate);
    if (error != NULL) PyErr_SetObject((PyObject *)Py_TYPE(error), error);
    Py_XDECREF(error);
    Py_DECREF(dxs);
    return NULL;
}

/* An input that wants no gradient: if it is an array of the caller's, it must be what it was. */
static int verify(PyObject *source, PyObject *gate, Py_ssize_t index)
{
    if (!Py_IS_TYPE(source, (PyTypeObject *)Constant_)) return 0;
    PyObject *array = SLOT(source, in_constant.array), *bytes = SLOT(source, in_constant.fingerprint);
    if (array != NULL && bytes != NULL && PyBytes_CheckExact(bytes)) {
        Py_buffer view;
        if (PyObject_GetBuffer(array, &view, PyBUF_SIMPLE) == 0) {
            int same = view.len == PyBytes_GET_SIZE(bytes) && !memcmp(view.buf, PyBytes_AS_STRING(bytes), view.len);
            PyBuffer_Release(&view);
            if (same) return 0;
        }
        PyErr_Clear(); /* of an array with gaps */
    }
    PyObject *name = PyType_GetName(Py_TYPE(gate));
    PyObject *position = PyLong_FromSsize_t(index), *done = NULL;
    if (name != NULL && position != NULL) done = PyObject_CallMethodObjArgs(source, s_verify, name, position, NULL);
    Py_XDECREF(name);
    Py_XDECREF(position);
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}

/* Whether the walk can go on in C: the gate remembers, and its rule may be handed dz as it is. */
static int is_common(PyObject *gate, PyObject *dz)
{
    if (!is_gate(gate)) return 0;
    PyObject *needs = SLOT(gate, in_gate.needs), *inputs = SLOT(gate, in_gate.inputs);
    if (needs == NULL || inputs == NULL || !PyTuple_CheckExact(needs) || !PyTuple_CheckExact(inputs)) return 0;
    if (PyTuple_GET_SIZE(needs) == 0 || PyTuple_GET_SIZE(needs) != PyTuple_GET_SIZE(inputs)) return 0;
    if (PyFloat_CheckExact(dz) || dz == Py_None) return 1;
    return Py_IS_TYPE(dz, (PyTypeObject *)Parts_) ? 0 : is_ours(gate);
}

/* --- masked gradients, numbers first (see postponed.py) -------------------------------------------------------- */

/* Keep NumPy from warning, from here until somebody else's turn comes. */
static int hush(Walk *walk)
{
    if (walk->quiet != NULL) return 0;
    PyObject *options = Py_BuildValue("{s:s}", "all", "ignore");
    PyObject *quiet = options != NULL ? PyObject_Call(errstate_, nothing, options) : NULL;
    PyObject *entered = quiet != NULL ? PyObject_CallMethod(quiet, "__enter__", NULL) : NULL;
    Py_XDECREF(options);
    if (entered == NULL) {
        Py_XDECREF(quiet);
        return -1;
    }
    Py_DECREF(entered);
    walk->quiet = quiet;
    return 0;
}

/* Let NumPy warn again; an exception that is set stays. */
static int let_speak(Walk *walk)
{
    if (walk->quiet == NULL) return 0;
    PyObject *type, *error, *traceback, *quiet = walk->quiet;
    walk->quiet = NULL;
    PyErr_Fetch(&type, &error, &traceback);
    PyObject *left = PyObject_CallMethod(quiet, "__exit__", "OOO", Py_None, Py_None, Py_None);
    Py_DECREF(quiet);
    Py_XDECREF(left);
    if (type != NULL) PyErr_Restore(type, error, traceback); /* over one from leaving */
    return left == NULL ? -1 : 0;
}

/* Whether none of these numbers has the exponent of infinities and NaNs, all ones: adding one more carries into the sign.
   So put, the loops are of operations that every processor has for several numbers at once. */
static int are_finite(const Py_buffer *view, int is_double)
{
    const uint64_t *doubles = view->buf;
    const uint32_t *singles = view->buf;
    Py_ssize_t count = view->len / (is_double ? 8 : 4);
    uint64_t found = 0;
    uint32_t found_single = 0;
    if (is_double)
        for (Py_ssize_t n = 0; n < count; n++) found |= (doubles[n] & 0x7ff0000000000000u) + 0x0010000000000000u;
    else
        for (Py_ssize_t n = 0; n < count; n++) found_single |= (singles[n] & 0x7f800000u) + 0x00800000u;
    return !(found >> 63) && !(found_single >> 31);
}

/* Whether all of some numbers are finite. */
static int is_finite(PyObject *x)
{
    if (PyFloat_CheckExact(x)) return isfinite(PyFloat_AS_DOUBLE(x)) != 0;
    PyObject *dtype = is_array(x) ? PyObject_GetAttr(x, s_dtype) : Py_NewRef(Py_None);
    Py_XDECREF(dtype); /* the two that are asked for below live as long as NumPy */
    if (dtype == NULL) return -1;
    Py_buffer view;
    if ((dtype == FLOAT64_ || dtype == FLOAT32_) && PyObject_GetBuffer(x, &view, PyBUF_SIMPLE) == 0) {
        int finite = are_finite(&view, dtype == FLOAT64_);
        PyBuffer_Release(&view);
        return finite;
    }
    PyErr_Clear(); /* of an array with gaps */
    PyObject *answer = PyObject_CallOneArg(is_finite_, x);
    int finite = answer == NULL ? -1 : PyObject_IsTrue(answer);
    Py_XDECREF(answer);
    return finite;
}

static PyObject *answer_is_finite(PyObject *module, PyObject *x)
{
    int finite = is_finite(x);
    return finite < 0 ? NULL : PyBool_FromLong(finite);
}

/* Whether a gate may be asked with numbers: nobody watches it, and it remembers no variables. */
static int is_plain(PyObject *gate)
{
    PyObject *remembered = PyObject_GenericGetDict(gate, NULL), *name, *value;
    Py_ssize_t position = 0;
    int plain = remembered == NULL ? -1 : !PyDict_Contains(remembered, s_backward);
    while (plain > 0 && PyDict_Next(remembered, &position, &name, &value)) {
        int met = is_met(&value, 1);
        plain = met < 0 ? -1 : !met;
    }
    Py_XDECREF(remembered);
    return plain;
}

/* What a gate answers to the numbers of a masked gradient, if it is all finite; NULL without an exception if not. */
static PyObject *numbers_first(PyObject *gate, PyObject *dz, PyObject *needs)
{
    int good = is_plain(gate);
    if (good <= 0) return NULL;
    Py_ssize_t count = PyTuple_GET_SIZE(needs);
    PyObject *before = PyObject_GetAttr(careful_, s_doubts), *call[] = {gate, SLOT(dz, in_postponed.value)};
    if (before == NULL) return NULL;
    PyObject *dxs = gradients(PyObject_VectorcallMethod(s_backward, call, 2, NULL), gate, count);
    PyObject *numbers = dxs != NULL ? PyTuple_New(count) : NULL;
    if (numbers == NULL) good = -1;
    for (Py_ssize_t n = 0; n < count && good > 0; n++) {
        PyObject *dx = Py_NewRef(PyTuple_GET_ITEM(dxs, n));
        int needed = PyObject_IsTrue(PyTuple_GET_ITEM(needs, n));
        if (needed > 0 && Py_IS_TYPE(dx, (PyTypeObject *)Masked_)) Py_SETREF(dx, PyObject_CallOneArg(numbers_of_, dx));
        good = needed < 0 || dx == NULL ? -1 : needed && dx != Py_None ? is_finite(dx) : 1;
        if (dx != NULL) PyTuple_SET_ITEM(numbers, n, dx);
    }
    Py_XDECREF(dxs);
    if (good < 0 && PyErr_ExceptionMatches(PyExc_Exception)) PyErr_Clear(); /* it comes again, of the mask */
    if (!PyErr_Occurred()) { /* a doubt is one only if it remains behind the mask */
        PyObject *after = PyObject_GetAttr(careful_, s_doubts), *mine = NULL;
        if (after != NULL && after != before) mine = PyObject_CallMethodOneArg(careful_, s_without_doubt, before);
        if (after == NULL || PyErr_Occurred()) good = -1;
        else if (mine == Py_True) good = 0; /* and not another thread's */
        Py_XDECREF(mine);
        Py_XDECREF(after);
    }
    Py_DECREF(before);
    if (good <= 0) Py_CLEAR(numbers);
    return numbers;
}

/* The note that a gate was asked: an Asked. */
static PyObject *note_of(PyObject *gate, PyObject *dz, PyObject *needs)
{
    PyObject *dict = PyObject_GenericGetDict(gate, NULL), *remembered = dict != NULL ? PyDict_Copy(dict) : NULL;
    PyObject *note = remembered != NULL ? ((PyTypeObject *)Asked_)->tp_alloc((PyTypeObject *)Asked_, 0) : NULL;
    Py_XDECREF(dict);
    if (note == NULL) {
        Py_XDECREF(remembered);
        return NULL;
    }
    SLOT(note, in_asked.gate) = Py_NewRef(gate);
    SLOT(note, in_asked.dz) = Py_NewRef(dz);
    SLOT(note, in_asked.needs) = Py_NewRef(needs);
    SLOT(note, in_asked.remembered) = remembered;
    SLOT(note, in_asked.known) = Py_NewRef(unknown_);
    return note;
}

/* The answer of a gate that was asked, on its way to a gate that passes masks: a Postponed. Takes over dx. */
static PyObject *with_note(PyObject *dx, PyObject *source, PyObject *asked, Py_ssize_t index)
{
    int pass = dx == Py_None ? 0 : passes_masks(source);
    if (pass == 0) return dx;
    PyObject *position = pass > 0 ? PyLong_FromSsize_t(index) : NULL;
    PyObject *out = position != NULL ? ((PyTypeObject *)Postponed_)->tp_alloc((PyTypeObject *)Postponed_, 0) : NULL;
    if (out == NULL) {
        Py_XDECREF(position);
        Py_DECREF(dx);
        return NULL;
    }
    SLOT(out, in_postponed.value) = dx;
    SLOT(out, in_postponed.origins) = Py_NewRef(asked);
    SLOT(out, in_postponed.index) = position;
    SLOT(out, in_postponed.known) = Py_NewRef(unknown_);
    return out;
}

/* What a gate answers to dz: one gradient for each input. */
static PyObject *ask(PyObject *gate, PyObject *dz, Py_ssize_t count)
{
    if (dz == Py_None) {
        PyObject *none = PyTuple_New(count);
        for (Py_ssize_t n = 0; none != NULL && n < count; n++) PyTuple_SET_ITEM(none, n, Py_NewRef(Py_None));
        return none;
    }
    PyObject *call[] = {gate, dz}, *dxs = PyObject_VectorcallMethod(s_backward, call, 2, NULL);
    if (dxs == NULL) dxs = rescue(recover_backward_, gate, Py_NewRef(dz));
    return gradients(dxs, gate, count);
}

/* Ask a gate for the gradients of its inputs, send them on, and let it forget what it remembered. */
static int visit(PyObject *gate, PyObject *dz, Walk *walk, int retain)
{
    PyObject *needs = Py_NewRef(SLOT(gate, in_gate.needs)), *inputs = Py_NewRef(SLOT(gate, in_gate.inputs));
    PyObject *asked = NULL, *dxs = NULL;
    Py_ssize_t count = PyTuple_GET_SIZE(inputs);
    Py_INCREF(dz);
    int failed = 0;
    if (is_postponed(dz)) {
        failed = hush(walk);
        if (!failed) dxs = numbers_first(gate, dz, needs);
        if (dxs != NULL) asked = note_of(gate, dz, needs);
        else if (PyErr_Occurred()) failed = -1;
        else failed = let_speak(walk);
        Py_SETREF(dz, dxs == NULL && !failed ? PyObject_CallMethodNoArgs(dz, s_masked)
                                             : Py_NewRef(SLOT(dz, in_postponed.value)));
        if (dz == NULL || (dxs != NULL && asked == NULL)) failed = -1;
    } else {
        failed = let_speak(walk);
    }
    if (!failed && dxs == NULL) dxs = ask(gate, dz, count);
    if (dxs == NULL) failed = -1;
    for (Py_ssize_t n = 0; n < count && !failed; n++) {
        PyObject *source = PyTuple_GET_ITEM(inputs, n);
        int needed = PyObject_IsTrue(PyTuple_GET_ITEM(needs, n));
        if (needed <= 0) {
            failed = needed < 0 ? -1 : verify(source, gate, n);
            continue;
        }
        PyObject *dx = fitted(Py_NewRef(PyTuple_GET_ITEM(dxs, n)), source, gate, n, dz);
        if (dx != NULL && asked != NULL) dx = with_note(dx, source, asked, n);
        failed = dx == NULL ? -1 : arrive(source, dx, walk);
        Py_XDECREF(dx);
    }
    if (!failed && !retain) failed = release(gate);
    Py_DECREF(needs);
    Py_DECREF(inputs);
    Py_XDECREF(dz);
    Py_XDECREF(asked);
    Py_XDECREF(dxs);
    return failed;
}

/* advance(ready, waiting, leaves, retain): steps of the walk, until nothing is ready or the next gate is for Python. */
static PyObject *advance(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    if (count != 4 || !PyList_CheckExact(args[0]) || !PyDict_CheckExact(args[1]) || !PyDict_CheckExact(args[2])) {
        PyErr_SetString(PyExc_TypeError, "advance(ready, waiting, leaves, retain)");
        return NULL;
    }
    Walk walk = {args[0], args[1], args[2], NULL, NULL, NULL};
    int retain = PyObject_IsTrue(args[3]), going = retain < 0 ? -1 : 0;
    while (going >= 0 && pick_up(&walk)) {
        PyObject *gate = walk.gate, *dz = walk.dz;
        going = is_common(gate, dz);
        if (going <= 0) break;
        walk.gate = walk.dz = NULL;
        if (visit(gate, dz, &walk, retain)) going = -1;
        Py_DECREF(gate);
        Py_DECREF(dz);
    }
    if (let_speak(&walk)) going = -1;
    if (going < 0) {
        Py_CLEAR(walk.gate);
        Py_CLEAR(walk.dz);
        return NULL;
    }
    if (put_down(&walk)) return NULL;
    Py_RETURN_NONE;
}

/* --- leaves ---------------------------------------------------------------------------------------------------- */

/* Whether this is an array of real numbers, of a common kind. */
static int is_real(PyObject *x)
{
    PyObject *dtype = is_array(x) ? PyObject_GetAttr(x, s_dtype) : NULL;
    int real = dtype != NULL && (dtype == FLOAT64_ || dtype == FLOAT32_);
    Py_XDECREF(dtype);
    return real;
}

/* What the `.grad` of a leaf will be; `total` in Python, but for the first number to arrive. */
static PyObject *total(PyObject *leaf, PyObject *gradient)
{
    PyObject *before = is_variable(leaf) ? SLOT(leaf, in_variable.gradient) : zero;
    if (before == NULL || before == Py_None) {
        if (PyFloat_CheckExact(gradient)) return Py_NewRef(gradient);
        if (Py_REFCNT(gradient) == 1 && is_real(gradient)) return PyObject_CallOneArg(handed_out_, gradient);
    }
    return PyObject_CallFunctionObjArgs(total_, leaf, gradient, NULL);
}

/* deposit(gradients): add what the walk gathered to the `.grad` of the leaves. Two rounds, so that all of it arrives or
   nothing: the first asks Python for sums, and may raise, KeyboardInterrupt included, before anything has changed. The
   second writes slots. It runs no Python, and it is there that signals are looked for. */
static PyObject *deposit(PyObject *module, PyObject *gradients)
{
    PyObject *leaf, *gradient;
    Py_ssize_t position = 0, count = 0;
    if (!PyDict_CheckExact(gradients)) return PyErr_Format(PyExc_TypeError, "deposit(gradients)");
    PyObject *totals = PyList_New(PyDict_GET_SIZE(gradients));
    while (totals != NULL && PyDict_Next(gradients, &position, &leaf, &gradient)) {
        PyObject *sum = total(leaf, gradient);
        if (sum == NULL) Py_CLEAR(totals);
        else PyList_SET_ITEM(totals, count++, sum);
    }
    if (totals == NULL) return NULL;
    int failed = 0;
    for (position = count = 0; !failed && PyDict_Next(gradients, &position, &leaf, &gradient); count++) {
        PyObject *sum = PyList_GET_ITEM(totals, count);
        if (is_variable(leaf)) put(leaf, in_variable.gradient, Py_NewRef(sum));
        else failed = PyObject_SetAttr(leaf, s__gradient, sum); /* a variable of another copy of the package */
    }
    Py_DECREF(totals);
    if (failed) return NULL;
    Py_RETURN_NONE;
}

static PyObject *get_value(PyObject *x, void *unused)
{
    PyObject *raw = SLOT(x, in_variable.raw);
    if (raw != NULL && PyFloat_CheckExact(raw)) return Py_NewRef(raw);
    return Py_TYPE(value_)->tp_descr_get(value_, x, Variable_);
}

static int set_value(PyObject *x, PyObject *value, void *unused) { return Py_TYPE(value_)->tp_descr_set(value_, x, value); }

static PyObject *get_grad(PyObject *x, void *unused)
{
    PyObject *gradient = SLOT(x, in_variable.gradient);
    if (SLOT(x, in_variable.gate) == Py_None && gradient != NULL) return Py_NewRef(gradient);
    return Py_TYPE(grad_)->tp_descr_get(grad_, x, Variable_);
}

static int set_grad(PyObject *x, PyObject *gradient, void *unused)
{
    if (SLOT(x, in_variable.gate) != Py_None || gradient != Py_None)
        return Py_TYPE(grad_)->tp_descr_set(grad_, x, gradient);
    put(x, in_variable.gradient, Py_NewRef(gradient));
    return 0;
}

static PyObject *get_spec(PyObject *x, void *unused)
{
    PyObject *own = SLOT(x, in_variable.spec), *spec = own != NULL ? own : known_spec(x);
    return spec != NULL ? Py_NewRef(spec) : PyObject_CallMethod(x, "__getattr__", "O", s_spec);
}

static int set_spec(PyObject *x, PyObject *spec, void *unused)
{
    if (spec == NULL) return PyErr_SetString(PyExc_AttributeError, "spec"), -1;
    put(x, in_variable.spec, Py_NewRef(spec));
    return 0;
}

/* One of the two parts of a spec; `otherwise` for a single number. */
static PyObject *part_of_spec(PyObject *x, Py_ssize_t index, PyObject *otherwise, PyObject *python)
{
    PyObject *spec = known_spec(x);
    if (spec == Py_None || spec == nothing) return Py_NewRef(otherwise);
    if (spec != NULL && PyTuple_CheckExact(spec) && PyTuple_GET_SIZE(spec) == 2) return Py_NewRef(PyTuple_GET_ITEM(spec, index));
    return Py_TYPE(python)->tp_descr_get(python, x, Variable_);
}

static PyObject *get_shape(PyObject *x, void *unused) { return part_of_spec(x, 0, nothing, shape_); }
static PyObject *get_dtype(PyObject *x, void *unused) { return part_of_spec(x, 1, FLOAT64_, dtype_); }
static int set_shape(PyObject *x, PyObject *value, void *unused) { return Py_TYPE(shape_)->tp_descr_set(shape_, x, value); }
static int set_dtype(PyObject *x, PyObject *value, void *unused) { return Py_TYPE(dtype_)->tp_descr_set(dtype_, x, value); }

/* --- the operators as methods ---------------------------------------------------------------------------------- */

#define BINARY(name)                                                                                                  \
    static PyObject *do_##name(PyObject *x, PyObject *y) { return binary(name##_, x, y); }                            \
    static PyObject *do_r##name(PyObject *y, PyObject *x) { return binary(name##_, x, y); }                           \
    static PyObject *do_i##name(PyObject *x, PyObject *y) { return binary_in_place(name##_, x, y); }
BINARY(add)
BINARY(subtract)
BINARY(multiply)
BINARY(divide)
BINARY(power)
BINARY(matmul)
static PyObject *do_negative(PyObject *x, PyObject *unused) { return made_on_one(negative_, x); }
static PyObject *do_absolute(PyObject *x, PyObject *unused) { return made_on_one(absolute_, x); }

#define METHODS(operator, name)                                                                                       \
    {"__" operator "__", do_##name, METH_O, "numpy." #name " of this value and another."},                            \
    {"__r" operator "__", do_r##name, METH_O, "numpy." #name " of another value and this one."},                       \
    {"__i" operator "__", do_i##name, METH_O, "numpy." #name " of this value and another, under the name of this one."}
static PyMethodDef operators[] = {
    METHODS("add", add), METHODS("sub", subtract), METHODS("mul", multiply),
    METHODS("truediv", divide), METHODS("pow", power), METHODS("matmul", matmul),
    {"__neg__", do_negative, METH_NOARGS, "numpy.negative of this value."},
    {"__abs__", do_absolute, METH_NOARGS, "numpy.absolute of this value."},
    {"__array_ufunc__", (PyCFunction)(void (*)(void))array_ufunc, METH_FASTCALL | METH_KEYWORDS,
     "The gate that stands for this ufunc, applied."},
    {NULL}};
static PyMethodDef calls[] = {
    {"__call__", (PyCFunction)(void (*)(void))call, METH_FASTCALL | METH_KEYWORDS,
     "__call__($self, /, *inputs)\n--\n\nApply the gate: compute on plain values, record on variables."},
    {NULL}};
static PyGetSetDef properties[] = {
    {"value", get_value, set_value},
    {"grad", get_grad, set_grad},
    {"shape", get_shape, set_shape},
    {"dtype", get_dtype, set_dtype},
    {NULL}};
static PyGetSetDef slots[] = {{"spec", get_spec, set_spec}, {NULL}};

/* Give a class an attribute that is implemented here. The reference to the descriptor is handed over. */
static int give(PyObject *type, const char *name, PyObject *descriptor)
{
    int failed = descriptor == NULL ? -1 : PyObject_SetAttrString(type, name, descriptor);
    Py_XDECREF(descriptor);
    return failed;
}

/* --- the module ------------------------------------------------------------------------------------------------ */

static PyObject *setup(PyObject *module, PyObject *names)
{
#define TAKE(name)                                                                                                    \
    Py_XSETREF(name##_, Py_XNewRef(PyDict_GetItemString(names, #name)));                                              \
    if (name##_ == NULL) return PyErr_Format(PyExc_KeyError, "setup needs " #name);
    NEEDED(TAKE)
    if (find_slot(Variable_, "raw", &in_variable.raw) || find_slot(Variable_, "gate", &in_variable.gate) ||
        find_slot(Variable_, "level", &in_variable.level) || find_slot(Variable_, "spec", &in_variable.spec) ||
        find_slot(Variable_, "_gradient", &in_variable.gradient) ||
        find_slot(Gate_, "inputs", &in_gate.inputs) || find_slot(Gate_, "needs", &in_gate.needs) ||
        find_slot(Gate_, "options", &in_gate.options) || find_slot(Gate_, "order", &in_gate.order) ||
        find_slot(Gate_, "spec", &in_gate.spec) || find_slot(Gate_, "users", &in_gate.users) ||
        find_slot(Gate_, "level", &in_gate.level) ||
        find_slot(Constant_, "array", &in_constant.array) ||
        find_slot(Constant_, "fingerprint", &in_constant.fingerprint) || find_slot(Masked_, "value", &in_masked.value) ||
        find_slot(Postponed_, "value", &in_postponed.value) || find_slot(Postponed_, "origins", &in_postponed.origins) ||
        find_slot(Postponed_, "index", &in_postponed.index) || find_slot(Postponed_, "known", &in_postponed.known) ||
        find_slot(Asked_, "gate", &in_asked.gate) || find_slot(Asked_, "dz", &in_asked.dz) ||
        find_slot(Asked_, "needs", &in_asked.needs) || find_slot(Asked_, "remembered", &in_asked.remembered) ||
        find_slot(Asked_, "known", &in_asked.known))
        return NULL;
    for (PyMethodDef *method = operators; method->ml_name != NULL; method++)
        if (give(Variable_, method->ml_name, PyDescr_NewMethod((PyTypeObject *)Variable_, method))) return NULL;
    /* The attributes have given Variable the slots of Python, which look the methods up. It has no subclasses. */
    PyNumberMethods *number = ((PyTypeObject *)Variable_)->tp_as_number;
    number->nb_add = do_add;
    number->nb_subtract = do_subtract;
    number->nb_multiply = do_multiply;
    number->nb_true_divide = do_divide;
    for (PyMethodDef *method = calls; method->ml_name != NULL; method++)
        if (give(Gate_, method->ml_name, PyDescr_NewMethod((PyTypeObject *)Gate_, method))) return NULL;
    for (PyGetSetDef *property = properties; property->name != NULL; property++) {
        PyObject *python = property->get == get_value   ? value_
                           : property->get == get_grad  ? grad_
                           : property->get == get_shape ? shape_
                                                        : dtype_;
        PyObject *text = PyObject_GetAttrString(python, "__doc__");
        const char *doc = text != NULL ? PyUnicode_AsUTF8(text) : NULL;
        property->doc = doc; /* lives as long as the property in Python, which is held */
        Py_XDECREF(text);
        if (doc == NULL || give(Variable_, property->name, PyDescr_NewGetSet((PyTypeObject *)Variable_, property)))
            return NULL;
    }
    if (give(Variable_, slots->name, PyDescr_NewGetSet((PyTypeObject *)Variable_, slots))) return NULL;
    Py_RETURN_NONE;
}

static PyMethodDef functions[] = {
    {"setup", setup, METH_O, "Take what the short ways need from the engine, and give Variable its operators."},
    {"deposit", deposit, METH_O, "backward._deposit"},
    {"in_full", (PyCFunction)(void (*)(void))in_full, METH_FASTCALL, "recording._in_full"},
    {"is_finite", answer_is_finite, METH_O, "postponed.is_finite"},
    {"unary", (PyCFunction)(void (*)(void))unary, METH_FASTCALL, "recording.unary"},
    {"advance", (PyCFunction)(void (*)(void))advance, METH_FASTCALL, "As many common steps of the walk as there are."},
    {NULL}};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "gategrad._native", "The engine's short ways in C: see native.py.", -1, functions};

#ifndef SOURCE /* the build says of which text this is the build; a test compares */
#define SOURCE unknown
#endif
#define TEXT(token) TEXT_OF(token)
#define TEXT_OF(token) #token

PyMODINIT_FUNC PyInit__native(void)
{
    both = PyTuple_Pack(2, Py_True, Py_True);
    left = PyTuple_Pack(2, Py_True, Py_False);
    right = PyTuple_Pack(2, Py_False, Py_True);
    one = PyTuple_Pack(1, Py_True);
    nothing = PyTuple_New(0);
    zero = PyLong_FromLong(0);
    if (both == NULL || left == NULL || right == NULL || one == NULL || nothing == NULL || zero == NULL) return NULL;
#define INTERN(name)                                                                                                  \
    s_##name = PyUnicode_InternFromString(#name);                                                                     \
    if (s_##name == NULL) return NULL;
    NAMES(INTERN)
    PyObject *module = PyModule_Create(&definition);
    if (module != NULL && PyModule_AddStringConstant(module, "source", TEXT(SOURCE)) < 0) Py_CLEAR(module);
    return module;
}
